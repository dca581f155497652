//! Single cases, told one by one.
