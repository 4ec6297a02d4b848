use super::*;

const LONG: Duration = Duration::from_secs(20);

fn shell(dir: &tempfile::TempDir, script: &str) -> Launch {
    Launch {
        name: "probe".to_owned(),
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        env: vec![("PROBE".to_owned(), "set".into())],
        log: dir.path().join("probe.log"),
    }
}

fn warden() -> Arc<Warden> {
    Arc::new(Warden::start().unwrap())
}

fn alive(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}

#[tokio::test]
async fn ready_line_is_awaited_and_read() {
    let dir = tempfile::tempdir().unwrap();
    let script =
        "echo starting; echo noise >&2; echo \"probe ready grpc=127.0.0.1:7 x=$PROBE\"; exec sleep 60";
    let mut process = Process::start(shell(&dir, script), LONG, &warden()).await.unwrap();
    assert_eq!(process.announced()["grpc"], "127.0.0.1:7");
    assert_eq!(process.announced()["x"], "set");
    assert!(process.stop(LONG).await.unwrap(), "sleep ends on SIGTERM");
    let log = std::fs::read_to_string(&process.launch().log).unwrap();
    assert!(log.contains("starting\n") && log.contains("noise\n"), "{log}");
}

#[tokio::test]
async fn an_early_end_tells_the_log_and_its_last_lines() {
    let dir = tempfile::tempdir().unwrap();
    let launch = shell(&dir, "echo no such key >&2; exit 3");
    let error = Process::start(launch, LONG, &warden()).await.unwrap_err().to_string();
    assert!(error.contains("probe ended before it was ready (exit status: 3)"), "{error}");
    assert!(error.contains("probe.log") && error.ends_with("no such key"), "{error}");
}

#[tokio::test]
async fn one_that_never_gets_ready_is_killed_at_the_deadline() {
    let dir = tempfile::tempdir().unwrap();
    let launch = shell(&dir, "echo $$ > \"$0.pid\"; exec sleep 60");
    let deadline = Duration::from_millis(300);
    let launch = Launch { args: [launch.args, vec![dir.path().join("p").into()]].concat(), ..launch };
    let error = Process::start(launch, deadline, &warden()).await.unwrap_err().to_string();
    assert!(error.contains("was not ready within 300ms"), "{error}");
    let pid = std::fs::read_to_string(dir.path().join("p.pid")).unwrap().trim().parse().unwrap();
    assert!(!alive(pid));
}

#[tokio::test]
async fn one_that_ignores_sigterm_is_killed_after_the_grace() {
    let dir = tempfile::tempdir().unwrap();
    let script = "trap '' TERM; echo probe ready; while :; do sleep 0.05; done";
    let mut process = Process::start(shell(&dir, script), LONG, &warden()).await.unwrap();
    let pid = process.pid().unwrap();
    assert!(!process.stop(Duration::from_millis(300)).await.unwrap());
    assert!(!alive(pid));
}

#[tokio::test]
async fn a_failing_run_is_an_error_and_a_good_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    shell(&dir, "echo done").run(LONG, &warden()).await.unwrap();
    let error =
        shell(&dir, "echo bad column >&2; exit 1").run(LONG, &warden()).await.unwrap_err().to_string();
    assert!(error.contains("exit status: 1") && error.ends_with("bad column"), "{error}");
    let error = shell(&dir, "exec sleep 60").run(Duration::from_millis(200), &warden()).await.unwrap_err();
    assert!(error.to_string().contains("did not end within 200ms"), "{error}");
}

#[tokio::test]
async fn the_superusers_connection_is_not_inherited() {
    let dir = tempfile::tempdir().unwrap();
    let launch = shell(&dir, "env");
    launch.run(LONG, &warden()).await.unwrap();
    let env = std::fs::read_to_string(&launch.log).unwrap();
    assert!(env.contains("PROBE=set") && env.contains("PATH="), "{env}");
    assert!(!env.contains("DATABASE_URL") && !env.contains("CARGO"), "{env}");
}

#[tokio::test]
async fn the_warden_kills_what_is_left_when_its_owner_is_gone_and_spares_what_has_ended() {
    let dir = tempfile::tempdir().unwrap();
    let warden = warden();
    let mut left =
        Process::start(shell(&dir, "echo probe ready; exec sleep 60"), LONG, &warden).await.unwrap();
    let mut spared =
        Process::start(shell(&dir, "echo probe ready; exec sleep 60"), LONG, &warden).await.unwrap();
    warden.forget(spared.pid().unwrap());
    // What the end of the owning process does: the shell's input closes.
    warden.close();
    let status = tokio::time::timeout(LONG, left.wait()).await.unwrap().unwrap();
    assert_eq!(status.to_string(), "signal: 9 (SIGKILL)");
    assert!(alive(spared.pid().unwrap()));
    spared.kill().await.unwrap();
}
