//! Code that somebody is typing: editors ask macros about it all the time.

use super::expand;

/// The body comes out as it went in, in a method that is recorded.
#[track_caller]
fn survives(body: &str) {
    let signatures = [
        ("fn send(&self, message: M) -> Result<(), E>", "sending"),
        (
            "async fn send(&self, message: M) -> Result<(), E>",
            "sending",
        ),
        ("fn send(&self, message: M) -> BoxFuture<'_, ()>", "sending"),
        ("#[track_caller] fn send(&self, message: M)", "sending"),
        ("fn send_all(&self, messages: Vec<M>)", "begin_batch"),
        ("async fn send_all(&self, messages: Vec<M>)", "begin_batch"),
        (
            "#[trace(send)] fn poll(&self, message: M) -> Poll<()>",
            "begin_batch",
        ),
        ("fn recv(&self) -> Option<M>", "begin_receive"),
    ];
    for (signature, begin) in signatures {
        let source = format!("#[traced_connector] impl C {{ {signature} {{ {body} }} }}");
        let expanded = expand(&source, true).to_string();
        let body = body
            .parse::<proc_macro2::TokenStream>()
            .expect("tokens")
            .to_string();
        assert!(!expanded.contains("compile_error"), "{expanded}");
        assert!(expanded.contains(&body), "{expanded}");
        assert!(expanded.contains(begin), "{expanded}");
    }
}

#[test]
fn an_unfinished_field_access_survives() {
    survives("message.");
}

#[test]
fn an_unfinished_statement_survives() {
    survives("let x =");
    survives("if let Some(x) =");
}

#[test]
fn stray_tokens_survive() {
    survives("=> @ ? + + fn ; struct # { } .. match");
}

#[test]
fn syntax_of_the_future_survives() {
    survives("yeet message; do gen { become self.send(message) }");
}

#[test]
fn a_method_without_a_body_yet_is_left_alone() {
    let expanded = expand(
        "#[traced_connector] impl C { fn send(&self, message: M) -> R { } fn recv(&self) }",
        true,
    );
    assert!(expanded.to_string().contains("sending"), "{expanded}");
    assert!(
        !expanded.to_string().contains("begin_receive"),
        "{expanded}"
    );
}

#[test]
fn an_impl_with_a_mistake_in_an_option_comes_out_whole_and_unrecorded() {
    let source = "#[traced_connector(from = self.)] impl C { #[trace(ok = \"\")] fn send(&self, message: M) { body } }";
    let expanded = expand(source, true).to_string();
    assert_eq!(expanded.matches("compile_error").count(), 2, "{expanded}");
    assert!(
        expanded.contains("impl C { fn send (& self , message : M) { body } }"),
        "{expanded}"
    );
}

#[test]
fn invisible_groups_in_bodies_stay() {
    use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
    let sum = Group::new(Delimiter::None, "1 + 1".parse().expect("tokens"));
    let mut body: TokenStream = "2 *".parse().expect("tokens");
    body.extend([TokenTree::Group(sum)]);
    let mut item: TokenStream = "impl C".parse().expect("tokens");
    let mut method: TokenStream = "fn send(&self, message: M) -> u8".parse().expect("tokens");
    method.extend([TokenTree::Group(Group::new(Delimiter::Brace, body))]);
    item.extend([TokenTree::Group(Group::new(Delimiter::Brace, method))]);
    let expanded = crate::connector::traced_connector(TokenStream::new(), item, true);
    assert!(
        has_invisible_group(expanded),
        "`2 * $cap` must not become `2 * 1 + 1`"
    );

    fn has_invisible_group(stream: TokenStream) -> bool {
        stream.into_iter().any(|tree| match tree {
            TokenTree::Group(group) => {
                (group.delimiter() == Delimiter::None && group.stream().to_string() == "1 + 1")
                    || has_invisible_group(group.stream())
            }
            _ => false,
        })
    }
}
