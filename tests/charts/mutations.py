"""Manifests broken on purpose: for each, the rule that must notice, and the scenario that it is done to."""

from manifests import spec_of

# (rule, scenario, name, change)
ALL = []


def each(rule, scenario="small", **changes):
    ALL.extend((rule, scenario, name, change) for name, change in changes.items())


# --- what they change ----------------------------------------------------------------------------------------------


def deployment(m, service="registry"):
    return m.named("Deployment", f"eduhub-{service}")


def container(m, service="registry"):
    return spec_of(deployment(m, service))["containers"][0]


def policy(m, service):
    return m.named("NetworkPolicy", f"eduhub-{service}")["spec"]


def drop_port(spec, port):
    spec["egress"] = [rule for rule in spec["egress"] if {"port": port} not in rule["ports"]]


def variable(m, name, service="registry"):
    return next(entry for entry in container(m, service)["env"] if entry["name"] == f"EDUHUB_{name}")


def job(m):
    return m.of("Job")[0]


def doctor(m):
    return m.named("Pod", "eduhub-doctor")["spec"]["containers"][0]


def pod_of(m):
    return spec_of(deployment(m))


# --- how they change it ---------------------------------------------------------------------------------------------

each(
    "kubernetes",
    unknown_field=lambda m: container(m).update(imagePolicy="Always"),
    text_for_a_number=lambda m: deployment(m)["spec"].update(revisionHistoryLimit="three"),
    removed_api=lambda m: m.of("PodDisruptionBudget")[0].update(apiVersion="policy/v1beta1"),
)
each(
    "images_are_those_of_the_dockerfile",
    latest=lambda m: container(m).update(image="eduhub/registry:latest"),
    no_tag=lambda m: container(m).update(image="eduhub/registry"),
    unknown_image=lambda m: container(m).update(image="eduhub/registrar:0.1.0"),
    latest_of_a_job=lambda m: job(m)["spec"]["template"]["spec"]["containers"][0].update(image="eduhub/registry:latest"),
)
each(
    "pods_are_restricted",
    root=lambda m: pod_of(m)["securityContext"].update(runAsUser=0),
    root_allowed=lambda m: pod_of(m)["securityContext"].pop("runAsNonRoot"),
    no_seccomp=lambda m: pod_of(m)["securityContext"].pop("seccompProfile"),
    writable_root=lambda m: container(m)["securityContext"].update(readOnlyRootFilesystem=False),
    capabilities=lambda m: container(m)["securityContext"].pop("capabilities"),
    escalation_of_a_job=lambda m: job(m)["spec"]["template"]["spec"]["containers"][0].pop("securityContext"),
    host_network=lambda m: pod_of(m).update(hostNetwork=True),
    host_path=lambda m: pod_of(m)["volumes"].append({"name": "x", "hostPath": {"path": "/"}}),
)
each(
    "pods_have_no_token",
    token=lambda m: pod_of(m).pop("automountServiceAccountToken"),
    token_of_account=lambda m: m.of("ServiceAccount")[0].pop("automountServiceAccountToken"),
    service_links=lambda m: pod_of(m).pop("enableServiceLinks"),
)
each(
    "resources_are_bounded",
    no_limit=lambda m: container(m)["resources"]["limits"].pop("memory"),
    no_request=lambda m: container(m)["resources"].pop("requests"),
    request_above_limit=lambda m: container(m)["resources"]["requests"].update(cpu="3000m"),
    no_limit_in_test=lambda m: m.of("Pod")[0]["spec"]["containers"][0].pop("resources"),
)
each(
    "probes_ask_over_tls",
    no_start_up=lambda m: container(m).pop("startupProbe"),
    live_is_ready=lambda m: container(m).update(livenessProbe=container(m)["readinessProbe"]),
    ready_is_live=lambda m: container(m).update(readinessProbe=container(m)["livenessProbe"]),
    native_probe=lambda m: container(m).update(readinessProbe={"grpc": {"port": 7443, "service": "ready"}}),
    in_the_clear=lambda m: container(m)["livenessProbe"]["exec"]["command"].__setitem__(2, "http://localhost:7443"),
    impatient=lambda m: container(m)["livenessProbe"].update(timeoutSeconds=1),
    short_start=lambda m: container(m)["startupProbe"].update(failureThreshold=3),
)
each(
    "drain_times_add_up",
    killed_early=lambda m: pod_of(m).update(terminationGracePeriodSeconds=30),
    no_pre_stop=lambda m: container(m).pop("lifecycle"),
    longer_drain=lambda m: variable(m, "DRAIN_SECONDS").update(value="60"),
)
each(
    "rollouts_take_nothing_away",
    recreate=lambda m: deployment(m)["spec"].update(strategy={"type": "Recreate"}),
    no_spread=lambda m: pod_of(m).pop("topologySpreadConstraints"),
    spread_of_others=lambda m: pod_of(m)["topologySpreadConstraints"][0].update(labelSelector={"matchLabels": {"app": "x"}}),
)
each(
    "only_wanted_controllers",
    secret=lambda m: m.documents.append({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {}}),
    monitor=lambda m: m.documents.append({"kind": "ServiceMonitor", "metadata": {"name": "x"}}),
    cluster_role=lambda m: m.documents.append({"kind": "ClusterRole", "metadata": {"name": "x"}}),
)
each(
    "uninstall_leaves_nothing",
    hook_stays=lambda m: job(m)["metadata"]["annotations"].pop("helm.sh/hook-delete-policy"),
    failed_job_stays=lambda m: job(m)["spec"].pop("ttlSecondsAfterFinished"),
    kept=lambda m: deployment(m)["metadata"].update(annotations={"helm.sh/resource-policy": "keep"}),
    other_namespace=lambda m: deployment(m)["metadata"].update(namespace="default"),
    twice=lambda m: m.documents.append(deployment(m)),
)
each(
    "hooks_need_nothing_of_the_release",
    account=lambda m: job(m)["spec"]["template"]["spec"].update(serviceAccountName="eduhub-registry"),
    after_install=lambda m: job(m)["metadata"]["annotations"].update({"helm.sh/hook": "post-install,pre-upgrade"}),
    for_ever=lambda m: job(m)["spec"].pop("activeDeadlineSeconds"),
    one_try=lambda m: job(m)["spec"].update(backoffLimit=0),
    later_secret=lambda m: m.documents.append({"kind": "ExternalSecret", "metadata": {"name": "eduhub-approval-migrate"}}),
)
each(
    "every_service_migrates_under_its_own_role",
    no_job=lambda m: m.documents.remove(job(m)),
    runtime_role=lambda m: job(m)["spec"]["template"]["spec"]["containers"][0]["volumeMounts"][0].update(name="approval-database"),
    owner_at_run_time=lambda m: container(m)["volumeMounts"].append({"name": "registry-migrate", "mountPath": "/x"}),
)
each(
    "every_service_migrates_under_its_own_role", "operators",
    no_init=lambda m: pod_of(m).pop("initContainers"),
)  # fmt: skip
each(
    "selectors_find_their_pods",
    service_selects_nothing=lambda m: m.named("Service", "eduhub-registry")["spec"]["selector"].update({"app.kubernetes.io/component": "x"}),
    service_selects_all=lambda m: m.named("Service", "eduhub-registry")["spec"]["selector"].pop("app.kubernetes.io/component"),
    deployment_selects_nothing=lambda m: deployment(m)["spec"]["selector"]["matchLabels"].update({"app.kubernetes.io/name": "x"}),
    no_account=lambda m: m.documents.remove(m.named("ServiceAccount", "eduhub-registry")),
    no_such_port=lambda m: m.named("Service", "eduhub-registry")["spec"]["ports"][0].update(targetPort="http"),
    a_service_less=lambda m: m.documents.remove(m.named("Service", "eduhub-registry")),
    budget_of_nobody=lambda m: m.of("PodDisruptionBudget")[0]["spec"]["selector"]["matchLabels"].update(x="y"),
)
each(
    "one_thing_sets_the_replicas",
    nothing=lambda m: deployment(m)["spec"].pop("replicas"),
    no_drain=lambda m: m.of("PodDisruptionBudget")[0]["spec"].update(maxUnavailable=0),
)
each(
    "one_thing_sets_the_replicas", "ha",
    both=lambda m: deployment(m)["spec"].update(replicas=3),
    of_nothing=lambda m: m.of("HorizontalPodAutoscaler")[0]["spec"]["scaleTargetRef"].update(name="x"),
)  # fmt: skip
each(
    "settings_are_those_that_the_program_reads",
    unknown=lambda m: container(m)["env"].append({"name": "EDUHUB_RETENTION", "value": "1"}),
    of_another=lambda m: container(m)["env"].append({"name": "EDUHUB_NPD_URL", "value": "http://x"}),
    missing=lambda m: container(m)["env"].remove(variable(m, "IDENTITY_URL")),
    missing_file=lambda m: container(m)["env"].remove(variable(m, "VAULT_FILE")),
    said_twice=lambda m: container(m)["env"].append(variable(m, "LISTEN")),
    float_number=lambda m: variable(m, "DB_MAX_CONNECTIONS").update(value="6.7108864e+07"),
)
each(
    "the_doctor_is_told_everything", "operators",
    unknown_to_the_cli=lambda m: doctor(m)["env"].append({"name": "EDUHUB_PASSWORD", "value": "x"}),
    not_told=lambda m: doctor(m)["env"].pop(0),
)  # fmt: skip
each(
    "secrets_come_by_reference",
    in_plain_sight=lambda m: container(m)["env"].append({"name": "EDUHUB_DATABASE_URL", "value": "postgres://x"}),
    in_environment=lambda m: container(m)["env"].append(
        {"name": "EDUHUB_LOG", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}}
    ),
    not_mounted=lambda m: container(m)["volumeMounts"].pop(),
    mounted_for_nothing=lambda m: variable(m, "VAULT_FILE").update(value="/etc/vault"),
    unreadable=lambda m: pod_of(m)["volumes"][0]["secret"].update(defaultMode=0o400),
)
each(
    "secrets_come_by_reference", "redis",
    secret_in_a_config_map=lambda m: variable(m, "VAULT_FILE").update(value="/run/eduhub/redis-ca/vault.toml"),
    authority_of_nobody=lambda m: pod_of(m).update(volumes=[v for v in pod_of(m)["volumes"] if v["name"] != "redis-ca"]),
)  # fmt: skip
each(
    "nothing_else_is_open", "redis",
    no_way_to_sentinels=lambda m: drop_port(policy(m, "registry"), 26380),
    no_way_to_redis=lambda m: drop_port(policy(m, "registry"), 6380),
)  # fmt: skip
each(
    "what_makes_secrets_makes_all", "operators",
    secret_of_nobody=lambda m: m.documents.remove(m.of("ExternalSecret")[0]),
    unused_secret=lambda m: m.of("ExternalSecret")[0]["metadata"].update(name="x"),
    no_localhost=lambda m: m.of("Certificate")[0]["spec"]["dnsNames"].remove("localhost"),
    role_less=lambda m: m.of("Cluster")[0]["spec"]["managed"]["roles"].pop(),
)  # fmt: skip
each(
    "addresses_lead_to_services",
    wrong_port=lambda m: variable(m, "IDENTITY_URL").update(value="https://eduhub-identity:443"),
    wrong_host=lambda m: variable(m, "IDENTITY_URL").update(value="https://identity:7443"),
    clear=lambda m: variable(m, "IDENTITY_URL").update(value="http://eduhub-identity:7443"),
    test_of_nothing=lambda m: m.of("Pod")[0]["spec"]["containers"][0]["args"].__setitem__(1, "https://eduhub-x:7443"),
)
each(
    "addresses_lead_to_services", "ingress",
    ingress_in_the_clear=lambda m: m.of("Ingress")[0]["spec"].pop("tls"),
    ingress_less=lambda m: m.documents.remove(m.of("Ingress")[0]),
)  # fmt: skip
each(
    "addresses_lead_to_services", "operators",
    route_to_nothing=lambda m: m.of("GRPCRoute")[0]["spec"]["rules"][0]["backendRefs"][0].update(port=1),
)  # fmt: skip
each(
    "policies_are_the_edges",
    edge_cut=lambda m: policy(m, "identity")["ingress"][0]["from"].pop(0),
    way_out_cut=lambda m: policy(m, "facility")["egress"][0]["to"].pop(),
    edge_too_many=lambda m: policy(m, "approval")["egress"][0]["to"].append(
        {"podSelector": {"matchLabels": {"app.kubernetes.io/component": "ministry-bridge"}}}
    ),
    anybody=lambda m: policy(m, "approval")["ingress"][0].pop("from"),
    any_port=lambda m: policy(m, "identity")["egress"].append({"to": [{"podSelector": {}}]}),
)
each(
    "nothing_else_is_open",
    no_default=lambda m: m.documents.remove(m.named("NetworkPolicy", "eduhub-default-deny")),
    half_a_default=lambda m: policy(m, "default-deny").update(policyTypes=["Ingress"]),
    whole_internet=lambda m: policy(m, "registry")["egress"].append({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}),
    ministry_for_registry=lambda m: policy(m, "registry")["egress"].append({"ports": [{"port": 443}]}),
    no_database=lambda m: policy(m, "registry")["egress"].pop(),
    strangers=lambda m: policy(m, "registry")["ingress"][0]["from"].append({"namespaceSelector": {}}),
)

each(
    "services_yaml_says_what_the_readme_says",
    call_too_many=lambda m: m.facts["services"]["registry"]["calls"].append("facility"),
    call_too_few=lambda m: m.facts["services"]["ministry-bridge"]["outside"].clear(),
)
each(
    "alerts_and_dashboards_are_whole", "operators",
    no_alerts=lambda m: m.of("PrometheusRule")[0]["spec"].update(groups=None),
    no_page=lambda m: m.of("PrometheusRule")[0]["spec"]["groups"][0]["rules"].append(
        {"alert": "X", "annotations": {"runbook_url": "https://git.example.vn/eduhub/blob/main/docs/runbooks/x.md"}}
    ),
    no_dashboards=lambda m: m.named("ConfigMap", "eduhub-dashboards").pop("data"),
    no_panels=lambda m: m.named("ConfigMap", "eduhub-dashboards")["data"].update({"x.json": "{}"}),
    not_found=lambda m: m.named("ConfigMap", "eduhub-dashboards")["metadata"]["labels"].pop("grafana_dashboard"),
)  # fmt: skip
each(
    "scraped_ports_are_there", "operators",
    no_port=lambda m: m.of("Service")[0]["spec"]["ports"].pop(),
    not_selected=lambda m: m.of("Service")[0]["metadata"].update(labels={}),
)  # fmt: skip
