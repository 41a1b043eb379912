//! Key/value engines of both versions: which one a path is in is asked first, as Vault's commands do.

mod get;
mod metadata;
mod place;
mod put;
mod versions;

use crate::leaf::{
    Flag,
    Kind::{Duration, List, Number, Pairs, Text, Truth},
    Leaf, Prints,
};

const MOUNT: Flag = Flag::own(Text, "mount", "Where the engine is; PATH is then below it.");
const VERSION: Flag = Flag::own(Number, "version", "Which version of the secret.");
const VERSIONS: Flag = Flag::own(List, "versions", "Which versions of the secret.");
const CAS: Flag = Flag::own(Number, "cas", "Only if this is the latest version; 0 only if there is none.");
const CUSTOM: Flag =
    Flag::new(Pairs, "custom-metadata", "custom_metadata", "What else is noted, as KEY=VALUE.");
const MAX: Flag = Flag::new(Number, "max-versions", "max_versions", "How many versions are kept.");
const CAS_REQUIRED: Flag =
    Flag::new(Truth, "cas-required", "cas_required", "Writing takes -cas from then on.");
const AFTER: Flag =
    Flag::new(Duration, "delete-version-after", "delete_version_after", "How long a version is kept.");

pub const LEAVES: &[Leaf] = &[
    Leaf {
        words: "kv get",
        about: "Read a secret.",
        takes: &["PATH"],
        flags: &[&[MOUNT, VERSION]],
        prints: Prints::Field,
        run: get::get,
    },
    Leaf {
        words: "kv put",
        about: "Write a secret, or a new version of it.",
        takes: &["PATH", "DATA..."],
        flags: &[&[MOUNT, CAS]],
        prints: Prints::Field,
        run: put::put,
    },
    Leaf {
        words: "kv patch",
        about: "Write a new version of a secret that differs in what is given.",
        takes: &["PATH", "[DATA...]"],
        flags: &[&[
            MOUNT,
            CAS,
            Flag::own(Text, "method", "patch, or rw: read, change and write."),
            Flag::own(List, "remove-data", "Keys that are taken out."),
        ]],
        prints: Prints::Field,
        run: put::patch,
    },
    Leaf {
        words: "kv rollback",
        about: "Write an older version of a secret anew.",
        takes: &["PATH"],
        flags: &[&[MOUNT, VERSION]],
        prints: Prints::Format,
        run: put::rollback,
    },
    Leaf {
        words: "kv list",
        about: "List the secrets below a path.",
        takes: &["PATH"],
        flags: &[&[MOUNT]],
        prints: Prints::Format,
        run: get::list,
    },
    Leaf {
        words: "kv delete",
        about: "Delete the latest version of a secret, or those that are named.",
        takes: &["PATH"],
        flags: &[&[MOUNT, VERSIONS]],
        prints: Prints::Field,
        run: versions::delete,
    },
    Leaf {
        words: "kv undelete",
        about: "Bring deleted versions of a secret back.",
        takes: &["PATH"],
        flags: &[&[MOUNT, VERSIONS]],
        prints: Prints::Format,
        run: versions::undelete,
    },
    Leaf {
        words: "kv destroy",
        about: "Destroy versions of a secret for good.",
        takes: &["PATH"],
        flags: &[&[MOUNT, VERSIONS]],
        prints: Prints::Format,
        run: versions::destroy,
    },
    Leaf {
        words: "kv enable-versioning",
        about: "Make an engine of version 1 one of version 2.",
        takes: &["PATH"],
        flags: &[],
        prints: Prints::Words,
        run: versions::enable,
    },
    Leaf {
        words: "kv metadata get",
        about: "Read what is noted about a secret.",
        takes: &["PATH"],
        flags: &[&[MOUNT]],
        prints: Prints::Format,
        run: metadata::get,
    },
    Leaf {
        words: "kv metadata put",
        about: "Note something about a secret.",
        takes: &["PATH"],
        flags: &[&[MOUNT, MAX, CAS_REQUIRED, AFTER, CUSTOM]],
        prints: Prints::Format,
        run: metadata::put,
    },
    Leaf {
        words: "kv metadata patch",
        about: "Change a part of what is noted about a secret.",
        takes: &["PATH"],
        flags: &[&[
            MOUNT,
            MAX,
            CAS_REQUIRED,
            AFTER,
            CUSTOM,
            Flag::own(List, "remove-custom-metadata", "Keys that are taken out."),
        ]],
        prints: Prints::Format,
        run: metadata::patch,
    },
    Leaf {
        words: "kv metadata delete",
        about: "Delete a secret with all its versions.",
        takes: &["PATH"],
        flags: &[&[MOUNT]],
        prints: Prints::Words,
        run: metadata::delete,
    },
];
