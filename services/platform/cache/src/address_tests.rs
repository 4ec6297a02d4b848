use super::*;
use redis::ConnectionAddr;

fn places(address: &Address) -> Vec<String> {
    let place = |node: &ConnectionInfo| match node.addr() {
        ConnectionAddr::Tcp(host, port) => format!("tcp {host} {port}"),
        ConnectionAddr::TcpTls { host, port, insecure: false, .. } => format!("tls {host} {port}"),
        other => panic!("{other:?}"),
    };
    address.nodes.iter().map(place).collect()
}

#[test]
fn one_address_with_what_a_url_may_say() {
    let address = Address::parse("redis://us%40er:p%2Fw%40@cache.example:7000/3").ok().unwrap();
    assert_eq!(places(&address), ["tcp cache.example 7000"]);
    let settings = address.nodes[0].redis_settings();
    assert_eq!((settings.username(), settings.password()), (Some("us@er"), Some("p/w@")));
    assert_eq!(settings.db(), 3);
    assert!(matches!(address.kind, Kind::One) && !address.tls);

    let address = Address::parse("rediss://:geheim@[::1]").ok().unwrap();
    assert_eq!(places(&address), ["tls ::1 6379"]);
    assert_eq!(address.nodes[0].redis_settings().password(), Some("geheim"));
    assert!(address.tls);
}

#[test]
fn sentinels_their_primary_and_both_passwords() {
    let url = "rediss+sentinel://app:pw@s1,s2:26380,[fe80::1]:1/my-master/2?sentinel_user=watch&sentinel_password=a+b%26c";
    let address = Address::parse(url).ok().unwrap();
    assert_eq!(places(&address), ["tls s1 26379", "tls s2 26380", "tls fe80::1 1"]);
    let Kind::Sentinel(watched) = &address.kind else { panic!("not of Sentinels") };
    assert_eq!(watched.name, "my-master");
    assert_eq!((watched.user.as_deref(), watched.password.as_deref()), (Some("watch"), Some("a+b&c")));
    let settings = address.nodes[0].redis_settings();
    assert_eq!((settings.username(), settings.password(), settings.db()), (Some("app"), Some("pw"), 2));
}

#[test]
fn nodes_of_a_cluster() {
    let address = Address::parse("redis+cluster://u:p@10.0.0.1,10.0.0.2:7001/").ok().unwrap();
    assert_eq!(places(&address), ["tcp 10.0.0.1 6379", "tcp 10.0.0.2 7001"]);
    assert!(matches!(address.kind, Kind::Cluster));
    assert!(address.nodes.iter().all(|node| node.redis_settings().password() == Some("p")));
}

#[test]
fn every_mistake_is_told_and_no_password() {
    let cases: &[(&str, &[&str])] = &[
        ("geheim", &["starts with none"]),
        ("http://u:geheim@h", &["starts with none"]),
        ("redis+unix://geheim", &["starts with none"]),
        ("redis+://u:geheim@h", &["starts with none"]),
        ("redis+sentinel+x://u:geheim@h", &["starts with none"]),
        ("redis://:geheim@", &["host 1: is empty"]),
        ("redis://:geheim@a,b", &["several hosts"]),
        (
            "redis://:geheim@a:0/x?geheim=1#insecure",
            &["host 1: its port", "not a number", "after a ?", "follow a #"],
        ),
        ("redis://:ge/heim@h", &["host 1: is empty", "%2F"]),
        ("redis://:ge?heim@h", &["host 1: is empty", "%3F"]),
        ("redis://:ge#heim@h", &["host 1: is empty", "%23"]),
        ("redis://:geheim%ff@h", &["percent-encoded"]),
        ("redis://:geheim@h?sentinel_password=geheim", &["sentinel_user"]),
        (
            "redis+sentinel://:geheim@a,,b:x,c_d e,[::1,[x],[::1]6",
            &[
                "host 2: is empty",
                "host 3: its port",
                "host 4: is neither",
                "host 5: its [",
                "host 6: no IPv6",
                "host 7: its port",
                "name of the primary",
            ],
        ),
        ("redis+sentinel://:geheim@a/m/-1", &["not a number"]),
        ("redis+cluster://:geheim@a/1", &["database 0 alone"]),
    ];
    for (url, expected) in cases {
        let mistakes = Address::parse(url).err().unwrap_or_else(|| panic!("{url} is taken"));
        let text = mistakes.join("; ");
        assert_eq!(mistakes.len(), expected.len(), "{url}: {text}");
        for part in *expected {
            assert!(text.contains(part), "{url}: no '{part}' in: {text}");
        }
        assert!(!text.contains("geheim") && !text.contains("heim"), "{url}: {text}");
    }
}
