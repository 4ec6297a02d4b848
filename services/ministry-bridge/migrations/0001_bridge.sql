-- State columns hold the numbers of the enums in proto/eduhub/bridge/v1; kinds and datasets those of common/v1/kind.proto.
SET lock_timeout = '5s';

-- How each dataset goes to the Ministry: 1 by API, 2 by hand (R-FLOW-6: facilities have no API today).
CREATE TABLE capability (
    dataset smallint PRIMARY KEY CHECK (dataset BETWEEN 1 AND 4),
    mode smallint NOT NULL CHECK (mode IN (1, 2)),
    changed_by text NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO capability (dataset, mode) VALUES (1, 1), (2, 1), (3, 1), (4, 2);

CREATE TABLE transfer (
    transfer_id uuid PRIMARY KEY,
    submission_id uuid NOT NULL,
    seal_id text NOT NULL,
    school_code text NOT NULL,
    school_name text NOT NULL,
    commune_code text NOT NULL,
    school_year int NOT NULL,
    dataset smallint NOT NULL,
    period smallint NOT NULL,
    mode smallint NOT NULL,
    state smallint NOT NULL,
    started_by text NOT NULL,
    traceparent text NOT NULL,
    problem text NOT NULL DEFAULT '',
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    reported_at timestamptz,
    -- One submission goes once: a second transfer would only repeat it.
    CONSTRAINT transfer_of_submission UNIQUE (submission_id)
);
CREATE INDEX transfer_by_school ON transfer (school_code, started_at DESC, transfer_id DESC);

-- What is known of each record at the Ministry. `version` rises whenever what would be sent changed; `held_*` is what the
-- Ministry answered to have. Rows outlive transfers: they are how a withdrawn record is found and cancelled.
CREATE TABLE record (
    record_id uuid PRIMARY KEY,
    school_code text NOT NULL,
    -- 0 for kinds that belong to no school year.
    school_year int NOT NULL,
    kind smallint NOT NULL,
    record_key text NOT NULL,
    ministry_type int NOT NULL,
    version bigint NOT NULL,
    digest bytea NOT NULL,
    held_version bigint,
    -- Null although held: a reconciliation found something else there, so that the next transfer sends it again.
    held_digest bytea,
    cancelled boolean NOT NULL DEFAULT false,
    ministry_code text NOT NULL DEFAULT ''
);
CREATE INDEX record_by_school ON record (school_code, kind, school_year) WHERE held_version IS NOT NULL AND NOT cancelled;

CREATE TABLE ledger (
    row_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transfer_id uuid NOT NULL REFERENCES transfer,
    record_id uuid NOT NULL,
    school_code text NOT NULL,
    kind smallint NOT NULL,
    record_key text NOT NULL,
    ministry_type int NOT NULL,
    version bigint NOT NULL,
    digest bytea NOT NULL,
    event smallint NOT NULL,
    state smallint NOT NULL,
    -- Order in the transfer: 0 new and changed records, 1 cancelled leaves, 2 cancelled parents.
    stage smallint NOT NULL DEFAULT 0,
    -- The record that must be accepted first, when it is part of the same transfer.
    parent_kind smallint,
    parent_key text,
    batch_id uuid,
    attempts int NOT NULL DEFAULT 0,
    code text NOT NULL DEFAULT '',
    message text NOT NULL DEFAULT '',
    ministry_code text NOT NULL DEFAULT '',
    reconciled smallint NOT NULL DEFAULT 0,
    -- What is sent, sealed (it holds personal IDs); gone as soon as the Ministry's answer is final.
    payload bytea,
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (transfer_id, record_id)
);
CREATE INDEX ledger_by_key ON ledger (transfer_id, kind, record_key);
CREATE INDEX ledger_by_state ON ledger (transfer_id, state, row_id);
CREATE INDEX ledger_by_school ON ledger (school_code, row_id);
CREATE INDEX ledger_by_batch ON ledger (batch_id) WHERE batch_id IS NOT NULL;

-- Work under lease: 1 fill the ledger of a transfer, 2 send a batch, 3 tell approval, 4 reconcile.
CREATE TABLE job (
    job_id uuid PRIMARY KEY,
    work smallint NOT NULL,
    transfer_id uuid NOT NULL REFERENCES transfer,
    -- Attempts that count towards giving up, and all of them (for the pause between them).
    attempts int NOT NULL DEFAULT 0,
    tries int NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT now(),
    lease uuid,
    lease_until timestamptz
);
CREATE INDEX job_due ON job (next_at, job_id);
CREATE INDEX job_by_transfer ON job (transfer_id);

-- Workbooks, sealed: a dataset that is switched to hand entry may hold personal IDs.
CREATE TABLE export (
    transfer_id uuid PRIMARY KEY REFERENCES transfer,
    file_name text NOT NULL,
    sha256 bytea NOT NULL,
    size_bytes bigint NOT NULL,
    records bigint NOT NULL,
    sealed bytea NOT NULL,
    confirmed_by text NOT NULL DEFAULT '',
    confirmed_at timestamptz
);
-- Compressed already, and sealed bytes do not compress.
ALTER TABLE export ALTER COLUMN sealed SET STORAGE EXTERNAL;

CREATE TABLE reconciliation (
    reconciliation_id uuid PRIMARY KEY,
    transfer_id uuid NOT NULL REFERENCES transfer,
    state smallint NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    problem text NOT NULL DEFAULT ''
);

CREATE TABLE reconciled_kind (
    reconciliation_id uuid NOT NULL REFERENCES reconciliation,
    kind smallint NOT NULL,
    hub bigint NOT NULL,
    ministry bigint NOT NULL,
    matching bigint NOT NULL,
    missing bigint NOT NULL,
    extra bigint NOT NULL,
    differing bigint NOT NULL,
    PRIMARY KEY (reconciliation_id, kind)
);

-- Values of class secret are never stored, see Difference.masked.
CREATE TABLE difference (
    reconciliation_id uuid NOT NULL REFERENCES reconciliation,
    seq int NOT NULL,
    type smallint NOT NULL,
    kind smallint NOT NULL,
    record_id uuid NOT NULL,
    record_key text NOT NULL,
    field text NOT NULL,
    label text NOT NULL,
    class smallint NOT NULL,
    hub_value text NOT NULL,
    ministry_value text NOT NULL,
    PRIMARY KEY (reconciliation_id, seq)
);
