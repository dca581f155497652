#[derive(Clone, serde::Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Command<T: Serialize> {
    Ping,
    Login {
        user: String,
        #[serde(rename = "secret")]
        #[serde(
            serialize_with = "Command::<T>::reflow_trace_redact_0",
            bound(serialize = "T: ::reflow_trace::__private::serde::Serialize")
        )]
        pass_word: Option<T>,
        #[cfg(feature = "pin")]
        #[serde(default)]
        #[serde(
            serialize_with = "Command::<T>::reflow_trace_redact_1",
            deserialize_with = "crate::pin::deserialize"
        )]
        pin: u32,
        #[serde(skip)]
        cached: Vec<u8>,
    },
    Token(
        #[serde(
            serialize_with = "Command::<T>::reflow_trace_redact_2",
            bound(serialize = "T: ::reflow_trace::__private::serde::Serialize")
        )]
        T,
    ),
}
impl<T: Serialize> Command<T> {
    #[doc(hidden)]
    fn reflow_trace_redact_0<
        ReflowTraceValue: ::reflow_trace::__private::serde::Serialize
            + ?::core::marker::Sized,
        ReflowTraceTarget: ::reflow_trace::__private::serde::Serializer,
    >(
        value: ::reflow_trace::__private::Borrowed<'_, ReflowTraceValue>,
        serializer: ReflowTraceTarget,
    ) -> ::core::result::Result<ReflowTraceTarget::Ok, ReflowTraceTarget::Error> {
        if ::reflow_trace::__private::captures_now() {
            ::reflow_trace::__private::redacted(serializer)
        } else {
            ::reflow_trace::__private::serde::Serialize::serialize(value, serializer)
        }
    }
    #[cfg(feature = "pin")]
    #[doc(hidden)]
    fn reflow_trace_redact_1<
        ReflowTraceTarget: ::reflow_trace::__private::serde::Serializer,
    >(
        value: ::reflow_trace::__private::Borrowed<'_, u32>,
        serializer: ReflowTraceTarget,
    ) -> ::core::result::Result<ReflowTraceTarget::Ok, ReflowTraceTarget::Error> {
        if ::reflow_trace::__private::captures_now() {
            ::reflow_trace::__private::redacted(serializer)
        } else {
            crate::pin::serialize(value, serializer)
        }
    }
    #[doc(hidden)]
    fn reflow_trace_redact_2<
        ReflowTraceValue: ::reflow_trace::__private::serde::Serialize
            + ?::core::marker::Sized,
        ReflowTraceTarget: ::reflow_trace::__private::serde::Serializer,
    >(
        value: ::reflow_trace::__private::Borrowed<'_, ReflowTraceValue>,
        serializer: ReflowTraceTarget,
    ) -> ::core::result::Result<ReflowTraceTarget::Ok, ReflowTraceTarget::Error> {
        if ::reflow_trace::__private::captures_now() {
            ::reflow_trace::__private::left_out(serializer)
        } else {
            ::reflow_trace::__private::serde::Serialize::serialize(value, serializer)
        }
    }
}
impl<T: Serialize> ::reflow_trace::Message for Command<T> {
    fn kind(&self) -> &'static ::reflow_trace::__private::MessageKind {
        match self {
            Self::Ping { .. } => {
                static KIND: ::reflow_trace::__private::MessageKind = ::reflow_trace::__private::MessageKind::new(
                    "Ping",
                );
                &KIND
            }
            Self::Login { .. } => {
                static KIND: ::reflow_trace::__private::MessageKind = ::reflow_trace::__private::MessageKind::new(
                        "Login",
                    )
                    .capture(::reflow_trace::__private::capture_bytes(Command::BYTES));
                &KIND
            }
            Self::Token { .. } => {
                static KIND: ::reflow_trace::__private::MessageKind = ::reflow_trace::__private::MessageKind::new(
                        "Token",
                    )
                    .capture(4096);
                &KIND
            }
        }
    }
    fn verdict(&self) -> ::reflow_trace::__private::Verdict {
        match self {
            Self::Ping { .. } => ::reflow_trace::__private::Verdict::Never,
            Self::Login { .. } => ::reflow_trace::__private::Verdict::ByRate,
            Self::Token { .. } => ::reflow_trace::__private::Verdict::ByRate,
        }
    }
    fn size(&self) -> ::reflow_trace::__private::Size {
        use ::reflow_trace::__private::SizeFallback as _;
        ::reflow_trace::__private::Size::measured(self.size_bytes(), self)
    }
    fn capture(&self, content: &mut ::reflow_trace::__private::Content<'_>) {
        content.put(self)
    }
}
const _: () = {
    enum Here {}
    ::reflow_trace::__private::register! {
        ::reflow_trace::__private::Registration::generic:: < Here > ("Command")
    }
};
