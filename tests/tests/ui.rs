//! What the compiler says to those who make a mistake. What has to compile stands in `tests/shapes`.

#[test]
fn every_mistake_is_explained() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
}
