//! What compiles, and what the compiler says to those who make a mistake.

#[test]
fn what_should_compile_compiles() {
    trybuild::TestCases::new().pass("tests/ui/pass/*.rs");
}

#[test]
fn every_mistake_is_explained() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
}
