//! Commands on users and roles have the bytes of the official client (aerospike 19.3.0), which were recorded between it
//! and the embedded server.

use wire_protocol::message::FrameHeader;
use wire_protocol::security::{AdminCommand, Privilege, SecurityMessage};

fn privilege(code: u8, namespace: &str, set: &str) -> Privilege {
    Privilege { code, namespace: namespace.into(), set: set.into() }
}

fn recorded() -> Vec<(AdminCommand, &'static str)> {
    vec![
        (
            AdminCommand::CreateUser {
                user: "ann".into(),
                hash: "$2a$10$7EqJtq98hPqEX7fNZaFWoOlrb4wZ3oZ6Djw9VVBeTqr60b2/Jm5zC".into(),
                roles: vec!["read".into(), "write".into()],
            },
            concat!(
                "020200000000006a000001030000000000000000000000000000000400616e6e0000003d012432612431302437",
                "45714a74713938685071455837664e5a6146576f4f6c726234775a336f5a36446a773956564265547172363062",
                "322f4a6d357a430000000d0a020472656164057772697465",
            ),
        ),
        (
            AdminCommand::CreateUser {
                user: "ann".into(),
                hash: "$2a$10$7EqJtq98hPqEX7fNZaFWoOlrb4wZ3oZ6Djw9VVBeTqr60b2/Jm5zC".into(),
                roles: vec![],
            },
            concat!(
                "020200000000005f000001030000000000000000000000000000000400616e6e0000003d012432612431302437",
                "45714a74713938685071455837664e5a6146576f4f6c726234775a336f5a36446a773956564265547172363062",
                "322f4a6d357a43000000020a00",
            ),
        ),
        (
            AdminCommand::CreateUser {
                user: "cert".into(),
                hash: "$2a$10$7EqJtq98hPqEX7fNZaFWoOePA2sZy..tlOF99W2N0g5KZ3dLaw8WO".into(),
                roles: vec!["read".into()],
            },
            concat!(
                "0202000000000065000001030000000000000000000000000000000500636572740000003d0124326124313024",
                "3745714a74713938685071455837664e5a6146576f4f65504132735a792e2e746c4f46393957324e3067354b5a",
                "33644c617738574f000000070a010472656164",
            ),
        ),
        (
            AdminCommand::DropUser { user: "ann".into() },
            "0202000000000018000002010000000000000000000000000000000400616e6e",
        ),
        (
            AdminCommand::SetPassword {
                user: "ann".into(),
                hash: "$2a$10$7EqJtq98hPqEX7fNZaFWoOJDI4p2.g0Lj9JpU6TB2MH64NSPIfvE.".into(),
            },
            concat!(
                "0202000000000059000003020000000000000000000000000000000400616e6e0000003d012432612431302437",
                "45714a74713938685071455837664e5a6146576f4f4a44493470322e67304c6a394a7055365442324d4836344e",
                "5350496676452e",
            ),
        ),
        (
            AdminCommand::ChangePassword {
                user: "root".into(),
                old_hash: "$2a$10$7EqJtq98hPqEX7fNZaFWoOu7NRZ0i7m5NbgPBEsHTCoJzZDEKQRb.".into(),
                hash: "$2a$10$7EqJtq98hPqEX7fNZaFWoOJDI4p2.g0Lj9JpU6TB2MH64NSPIfvE.".into(),
            },
            concat!(
                "020200000000009b000004030000000000000000000000000000000500726f6f740000003d0224326124313024",
                "3745714a74713938685071455837664e5a6146576f4f75374e525a3069376d354e6267504245734854436f4a7a",
                "5a44454b5152622e0000003d01243261243130243745714a74713938685071455837664e5a6146576f4f4a4449",
                "3470322e67304c6a394a7055365442324d4836344e5350496676452e",
            ),
        ),
        (
            AdminCommand::ChangePassword {
                user: "ann".into(),
                old_hash: "$2a$10$7EqJtq98hPqEX7fNZaFWoOu7NRZ0i7m5NbgPBEsHTCoJzZDEKQRb.".into(),
                hash: "$2a$10$7EqJtq98hPqEX7fNZaFWoOJDI4p2.g0Lj9JpU6TB2MH64NSPIfvE.".into(),
            },
            concat!(
                "020200000000009a000004030000000000000000000000000000000400616e6e0000003d022432612431302437",
                "45714a74713938685071455837664e5a6146576f4f75374e525a3069376d354e6267504245734854436f4a7a5a",
                "44454b5152622e0000003d01243261243130243745714a74713938685071455837664e5a6146576f4f4a444934",
                "70322e67304c6a394a7055365442324d4836344e5350496676452e",
            ),
        ),
        (
            AdminCommand::GrantRoles { user: "ann".into(), roles: vec!["read".into(), "sys-admin".into()] },
            concat!(
                "020200000000002d000005020000000000000000000000000000000400616e6e000000110a0204726561640973",
                "79732d61646d696e",
            ),
        ),
        (
            AdminCommand::RevokeRoles { user: "ann".into(), roles: vec!["read".into()] },
            "0202000000000023000006020000000000000000000000000000000400616e6e000000070a010472656164",
        ),
        (
            AdminCommand::QueryUsers { user: Some("ann".into()) },
            "0202000000000018000009010000000000000000000000000000000400616e6e",
        ),
        (AdminCommand::QueryUsers { user: None }, "020200000000001000000900000000000000000000000000"),
        (
            AdminCommand::CreateRole {
                role: "r1".into(),
                privileges: vec![
                    privilege(10, "", ""),
                    privilege(11, "test", ""),
                    privilege(13, "test", "demo"),
                    privilege(1, "", ""),
                    privilege(14, "bar", "s"),
                ],
                whitelist: vec![],
                read_quota: 0,
                write_quota: 0,
            },
            concat!(
                "020200000000003a00000a02000000000000000000000000000000030b72310000001f0c050a00000b04746573",
                "74000d04746573740464656d6f010e036261720173",
            ),
        ),
        (
            AdminCommand::CreateRole {
                role: "r2".into(),
                privileges: vec![privilege(10, "", "")],
                whitelist: vec!["127.0.0.1".into(), "10.0.0.0/8".into()],
                read_quota: 100,
                write_quota: 200,
            },
            concat!(
                "020200000000004b00000a05000000000000000000000000000000030b7232000000050c010a0000000000150d",
                "3132372e302e302e312c31302e302e302e302f38000000050e00000064000000050f000000c8",
            ),
        ),
        (
            AdminCommand::CreateRole {
                role: "r3".into(),
                privileges: vec![privilege(10, "", "")],
                whitelist: vec![],
                read_quota: 0,
                write_quota: 0,
            },
            "020200000000002000000a02000000000000000000000000000000030b7233000000050c010a0000",
        ),
        (
            AdminCommand::CreateRole {
                role: "r4".into(),
                privileges: vec![],
                whitelist: vec![],
                read_quota: 0,
                write_quota: 0,
            },
            "020200000000001700000a01000000000000000000000000000000030b7234",
        ),
        (
            AdminCommand::DropRole { role: "r1".into() },
            "020200000000001700000b01000000000000000000000000000000030b7231",
        ),
        (
            AdminCommand::GrantPrivileges {
                role: "r1".into(),
                privileges: vec![
                    privilege(10, "", ""),
                    privilege(11, "test", ""),
                    privilege(13, "test", "demo"),
                    privilege(1, "", ""),
                    privilege(14, "bar", "s"),
                ],
            },
            concat!(
                "020200000000003a00000c02000000000000000000000000000000030b72310000001f0c050a00000b04746573",
                "74000d04746573740464656d6f010e036261720173",
            ),
        ),
        (
            AdminCommand::RevokePrivileges {
                role: "r1".into(),
                privileges: vec![privilege(10, "", ""), privilege(11, "test", "")],
            },
            concat!(
                "020200000000002700000d02000000000000000000000000000000030b72310000000c0c020a00000b04746573",
                "7400",
            ),
        ),
        (
            AdminCommand::SetWhitelist { role: "r1".into(), whitelist: vec!["127.0.0.1".into()] },
            "020200000000002500000e02000000000000000000000000000000030b72310000000a0d3132372e302e302e31",
        ),
        (
            AdminCommand::SetWhitelist { role: "r1".into(), whitelist: vec![] },
            "020200000000001700000e01000000000000000000000000000000030b7231",
        ),
        (
            AdminCommand::SetWhitelist { role: "r1".into(), whitelist: vec![] },
            "020200000000001700000e01000000000000000000000000000000030b7231",
        ),
        (
            AdminCommand::SetQuotas { role: "r1".into(), read_quota: 10, write_quota: 20 },
            concat!(
                "020200000000002900000f03000000000000000000000000000000030b7231000000050e0000000a000000050f",
                "00000014",
            ),
        ),
        (
            AdminCommand::SetQuotas { role: "r1".into(), read_quota: u32::MAX, write_quota: u32::MAX },
            concat!(
                "020200000000002900000f03000000000000000000000000000000030b7231000000050effffffff000000050f",
                "ffffffff",
            ),
        ),
        (
            AdminCommand::QueryRoles { role: Some("r1".into()) },
            "020200000000001700001001000000000000000000000000000000030b7231",
        ),
        (AdminCommand::QueryRoles { role: None }, "020200000000001000001000000000000000000000000000"),
        (
            AdminCommand::QueryRoles { role: Some("r1".into()) },
            "020200000000001700001001000000000000000000000000000000030b7231",
        ),
        (AdminCommand::QueryRoles { role: None }, "020200000000001000001000000000000000000000000000"),
    ]
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digit).collect()
}

#[test]
fn requests_are_those_of_the_official_client() {
    for (command, frame) in recorded() {
        let mut out = Vec::new();
        command.write(&mut out).unwrap();
        assert_eq!(out, bytes(frame), "{command:?}");
        let message = SecurityMessage::parse(&out[FrameHeader::LEN..]).unwrap();
        assert_eq!(AdminCommand::parse(&message), Ok(command));
    }
}
