-- One index less for each issue: an id is only ever looked for within its school. Less to write with every issue, and first
-- loads open many.
set local lock_timeout = '5s';

alter table data_issue drop constraint data_issue_pkey;
drop index data_issue_school;
alter table data_issue add primary key (school_code, issue_id);
