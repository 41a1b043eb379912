//! Between the SDK's types and those of the wire; fields move, bodies are not copied.
