//! The binary: its one line, and its end.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::stand::{NPD_KEY, client};

fn program(listen: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eduhub-simulators"));
    command.args(["--listen", listen, "--ministry-client-id", "a", "--ministry-client-secret", "b"]);
    command.args(["--npd-api-key", NPD_KEY]).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    line
}

#[tokio::test]
async fn it_announces_its_address_and_ends_on_either_signal() {
    for signal in ["-TERM", "-INT"] {
        let mut child = program("127.0.0.1:0").spawn().unwrap();
        let line = first_line(&mut child);
        let addr = line.strip_prefix("eduhub-simulators ready http=").unwrap().trim();
        let response = client().get(format!("http://{addr}/control/state")).send().await.unwrap();
        assert!(response.status().is_success());
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(child.wait().unwrap().success(), "{signal}");
    }
}

#[test]
fn an_open_address_is_refused_with_the_reason() {
    let output = program("0.0.0.0:0").output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("not a loopback address"));
}
