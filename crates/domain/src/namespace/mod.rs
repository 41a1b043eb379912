//! Namespaces: how they are called, how they nest, and which of them a request means.

mod name;
mod path;
mod token;
mod tree;

pub use name::{InvalidNamespace, NamespaceName};
pub use path::NamespacePath;
pub use token::namespace_of_token;
pub use tree::NamespaceTree;
