#[sample(capture = 4096)]
#[derive(Clone, serde::Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Command<T: Serialize> {
    #[sample(never, capture = false)]
    Ping,
    #[sample(capture = Self::BYTES)]
    Login {
        user: String,
        #[trace(redact)]
        #[serde(rename = "secret")]
        pass_word: Option<T>,
        #[cfg(feature = "pin")]
        #[trace(redact)]
        #[serde(with = "crate::pin", default)]
        pin: u32,
        #[trace(redact)]
        #[serde(skip)]
        cached: Vec<u8>,
    },
    Token(#[trace(redact)] T),
}
