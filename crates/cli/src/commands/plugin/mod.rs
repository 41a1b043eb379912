//! Plugins: which there are, which run, and how another one takes the place of one.

mod apply;
mod catalog;
mod events;
mod follow;
mod hash;
mod register;
mod reload;
mod running;
mod runtime;
mod switch;
mod upload;

use crate::leaf::{
    Flag,
    Kind::{List, Many, Number, Text, Truth},
    Leaf, Prints,
};

const VERSION: &[Flag] = &[Flag::own(Text, "version", "A semantic version.")];

/// What a catalog entry says beside its program.
const ENTRY: &[Flag] = &[
    Flag::new(Many, "args", "args", "An argument of the program; may be repeated."),
    Flag::new(Many, "env", "env", "A variable of the program, as KEY=value; may be repeated."),
    Flag::new(Text, "runtime", "runtime", "The sandbox that it runs in."),
];

/// What a sandbox can be told.
pub fn sandbox_settings() -> &'static [Flag] {
    runtime::SETTINGS
}

pub const LEAVES: &[Leaf] = &[
    Leaf {
        words: "plugin register",
        about: "Register a plugin, whose program may be sent along.",
        takes: &["TYPE", "NAME"],
        flags: &[
            VERSION,
            ENTRY,
            &[
                Flag::own(
                    Text,
                    "upload",
                    "The plugin's program, which is put into the server's plugin directory.",
                ),
                Flag::own(
                    Text,
                    "sha256",
                    "What the program has to hash to; worked out from what is sent along.",
                ),
                Flag::own(
                    Text,
                    "command",
                    "What the program is called there; by itself what the file, or the plugin, is called.",
                ),
                Flag::new(Text, "oci-image", "oci_image", "The image that it is in.").or(&["oci_image"]),
            ],
        ],
        prints: Prints::Words,
        run: register::register,
    },
    Leaf {
        words: "plugin deregister",
        about: "Take a plugin out of the catalog.",
        takes: &["TYPE", "NAME"],
        flags: &[VERSION],
        prints: Prints::Words,
        run: catalog::deregister,
    },
    Leaf {
        words: "plugin list",
        about: "List the plugins that are known.",
        takes: &["[TYPE]"],
        flags: &[&[Flag::own(Truth, "detailed", "Tells whether they are still kept up, too.")]],
        prints: Prints::Format,
        run: catalog::list,
    },
    Leaf {
        words: "plugin info",
        about: "Tell about a plugin.",
        takes: &["TYPE", "NAME"],
        flags: &[VERSION],
        prints: Prints::Field,
        run: catalog::info,
    },
    Leaf {
        words: "plugin pin",
        about: "Bind all mounts of a plugin to one version, or tell which are bound.",
        takes: &["[TYPE]", "[NAME]", "[VERSION]"],
        flags: &[&[Flag::own(Truth, "remove", "They are bound no longer.")]],
        prints: Prints::Format,
        run: catalog::pin,
    },
    Leaf {
        words: "plugin reload",
        about: "Start plugins anew.",
        takes: &[],
        flags: &[&[
            Flag::new(Text, "plugin", "plugin", "One plugin, wherever it is mounted."),
            Flag::own(Text, "type", "Its type, where two have its name."),
            Flag::new(List, "mounts", "mounts", "Those of these mounts."),
            Flag::new(Text, "scope", "scope", "global: on all nodes."),
        ]],
        prints: Prints::Words,
        run: reload::reload,
    },
    Leaf {
        words: "plugin reload-status",
        about: "Tell what became of a reload.",
        takes: &["RELOAD_ID"],
        flags: &[],
        prints: Prints::Format,
        run: reload::status,
    },
    Leaf {
        words: "plugin ps",
        about: "List the processes of plugins.",
        takes: &[],
        flags: &[],
        prints: Prints::Format,
        run: running::processes,
    },
    Leaf {
        words: "plugin logs",
        about: "Print what a plugin writes to its log.",
        takes: &["TYPE", "NAME"],
        flags: &[
            VERSION,
            &[
                Flag::own(Text, "level", "The least severe lines: trace, debug, info, warn, error."),
                Flag::own(Number, "lines", "How many of the last ones.").or(&["n"]),
                Flag::own(Truth, "follow", "Goes on with what comes.").or(&["f"]),
                Flag::own(Number, "count", "Ends after so many, when it follows."),
            ],
        ],
        prints: Prints::Format,
        run: running::logs,
    },
    Leaf {
        words: "plugin events",
        about: "Print what happens to plugins, while it happens.",
        takes: &[],
        flags: &[&[
            Flag::own(Number, "after", "Goes on after the event with this number."),
            Flag::own(Number, "count", "Ends after so many."),
        ]],
        prints: Prints::Format,
        run: running::events,
    },
    Leaf {
        words: "plugin apply",
        about: "Put a program in the place of a plugin's: send, register, switch its mounts, and verify.",
        takes: &["FILE"],
        flags: &[
            VERSION,
            ENTRY,
            &[
                Flag::own(Text, "name", "The plugin; what the file is called by itself."),
                Flag::own(Text, "type", "auth, database or secret; found out by itself."),
                Flag::own(Truth, "dry-run", "Only starts the candidate, and tells what it is."),
            ],
        ],
        prints: Prints::Format,
        run: apply::apply,
    },
    Leaf {
        words: "plugin rollback",
        about: "Switch the mounts of a plugin to the version before, or to the one that is given.",
        takes: &["TYPE", "NAME"],
        flags: &[VERSION],
        prints: Prints::Format,
        run: apply::rollback,
    },
    Leaf {
        words: "plugin runtime register",
        about: "Make a sandbox that plugins can be registered with, or change one.",
        takes: &["NAME"],
        flags: &[runtime::TYPE, runtime::SETTINGS],
        prints: Prints::Words,
        run: runtime::register,
    },
    Leaf {
        words: "plugin runtime deregister",
        about: "Delete a sandbox that no plugin is registered with.",
        takes: &["NAME"],
        flags: &[runtime::TYPE],
        prints: Prints::Words,
        run: runtime::deregister,
    },
    Leaf {
        words: "plugin runtime info",
        about: "Tell about a sandbox.",
        takes: &["NAME"],
        flags: &[runtime::TYPE],
        prints: Prints::Field,
        run: runtime::info,
    },
    Leaf {
        words: "plugin runtime list",
        about: "List the sandboxes.",
        takes: &[],
        flags: &[&[Flag::own(Text, "type", "container or sandbox; both by itself.")]],
        prints: Prints::Format,
        run: runtime::list,
    },
];
