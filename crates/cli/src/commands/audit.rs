use serde_json::{Map, Value};

use crate::{
    Error,
    client::Request,
    error::Result,
    leaf::{
        Flag,
        Kind::{Text, Truth},
        Leaf, Prints,
    },
    output::plain,
    session::{Session, mount},
    values,
};

pub const LEAVES: &[Leaf] = &[
    Leaf {
        words: "audit enable",
        about: "Enable an audit device.",
        takes: &["TYPE", "[OPTIONS...]"],
        flags: &[&[
            Flag::own(Text, "path", "What it is called; its type by itself."),
            Flag::new(Text, "description", "description", "What it is for."),
            Flag::new(Truth, "local", "local", "It stays in this cluster."),
        ]],
        prints: Prints::Words,
        run: enable,
    },
    Leaf {
        words: "audit disable",
        about: "Disable an audit device.",
        takes: &["PATH"],
        flags: &[],
        prints: Prints::Words,
        run: disable,
    },
    Leaf {
        words: "audit list",
        about: "List the audit devices.",
        takes: &[],
        flags: &[&[Flag::own(Truth, "detailed", "Tells the options, too.")]],
        prints: Prints::Format,
        run: list,
    },
];

fn enable(session: &Session<'_>) -> Result<()> {
    let kind = session.path("TYPE");
    let path = mount(session.given.text("path").unwrap_or(&kind));
    let mut body = session.body()?;
    let options = values::parameters(&session.given.many("OPTIONS"))?;
    let options: Map<String, Value> = options.into_iter().map(|(name, value)| (name, value.into())).collect();
    body.insert("type".to_owned(), kind.clone().into());
    body.insert("options".to_owned(), options.into());
    session
        .ask(&Request::put(format!("sys/audit/{path}"), body), || "Error enabling audit device".to_owned())?;
    session.out.say(format!("Success! Enabled the {kind} audit device at: {path}"));
    Ok(())
}

fn disable(session: &Session<'_>) -> Result<()> {
    let path = mount(session.given.place("PATH"));
    session
        .ask(&Request::delete(format!("sys/audit/{path}")), || "Error disabling audit device".to_owned())?;
    session.out.say(format!("Success! Disabled audit device (if it was enabled) at: {path}"));
    Ok(())
}

fn list(session: &Session<'_>) -> Result<()> {
    let data = session.ask(&Request::get("sys/audit"), || "Error listing audits".to_owned())?.data()?;
    let devices = data.as_object().cloned().unwrap_or_default();
    if !session.out.is_table() {
        return session.out.document(&devices);
    }
    if devices.is_empty() {
        return Err(Error::nothing("No audit devices are enabled."));
    }
    let detailed = session.given.on("detailed");
    let head: &[&str] = if detailed {
        &["Path", "Type", "Description", "Replication", "Options"]
    } else {
        &["Path", "Type", "Description"]
    };
    session
        .out
        .either(&devices, head, || devices.iter().map(|(path, device)| row(path, device, detailed)).collect())
}

fn row(path: &str, device: &Value, detailed: bool) -> Vec<String> {
    let text = |name: &str| device[name].as_str().unwrap_or_default().to_owned();
    let mut row = vec![path.to_owned(), text("type"), text("description")];
    if detailed {
        row.push(if device["local"] == true { "local" } else { "replicated" }.to_owned());
        let options = device["options"].as_object().into_iter().flatten();
        row.push(
            options.map(|(name, value)| format!("{name}={}", plain(value))).collect::<Vec<_>>().join(" "),
        );
    }
    row
}
