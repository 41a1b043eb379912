//! The flags that many commands have.

use crate::leaf::{
    Flag,
    Kind::{Many, Pairs, Text, Truth},
    Prints,
};

const SERVER: &[Flag] = &[
    Flag::own(Text, "address", "The server; VAULT_ADDR, or https://127.0.0.1:8200."),
    Flag::own(
        Text,
        "ca-cert",
        "A file of the authorities that the server's certificate may be from; VAULT_CACERT.",
    ),
    Flag::own(Text, "ca-path", "A folder of such files; VAULT_CAPATH."),
    Flag::own(Text, "client-cert", "The certificate that is shown to the server; VAULT_CLIENT_CERT."),
    Flag::own(Text, "client-key", "Its key; VAULT_CLIENT_KEY."),
    Flag::own(Text, "tls-server-name", "What the server's certificate has to name; VAULT_TLS_SERVER_NAME."),
    Flag::own(Truth, "tls-skip-verify", "Any certificate will do; VAULT_SKIP_VERIFY."),
    Flag::own(Text, "namespace", "Where the paths of this command begin; VAULT_NAMESPACE.").or(&["ns"]),
    Flag::own(
        Text,
        "wrap-ttl",
        "The answer is kept by the server for so long, behind a token; VAULT_WRAP_TTL.",
    ),
    Flag::own(Many, "mfa", "A second factor, as METHOD[:KEY[=VALUE]]; VAULT_MFA."),
    Flag::own(Pairs, "header", "Another header of the request."),
    Flag::own(Text, "unlock-key", "The key of a namespace that is locked."),
    Flag::own(Truth, "policy-override", "Overrules policies that allow it."),
    Flag::own(Truth, "non-interactive", "Asks nothing of who sits at the terminal."),
    Flag::own(Truth, "output-curl-string", "Prints the request as a command of curl, and does not send it."),
    Flag::own(Truth, "output-policy", "Prints a policy that allows the request, and does not send it."),
];

const FORMAT: Flag = Flag::own(Text, "format", "table, json, yaml, pretty or raw; VAULT_FORMAT.");
const FIELD: Flag = Flag::own(Text, "field", "Prints only this field, without anything around it.");
const FORMATS: &[Flag] = &[FORMAT];
const FIELDS: &[Flag] = &[FORMAT, FIELD];

/// Those of a command that prints like this.
pub fn flags(prints: Prints) -> impl Iterator<Item = &'static Flag> {
    let (server, output): (&[Flag], &[Flag]) = match prints {
        Prints::Local => (&[], &[]),
        Prints::Words => (SERVER, &[]),
        Prints::Format => (SERVER, FORMATS),
        Prints::Field => (SERVER, FIELDS),
    };
    server.iter().chain(output)
}
