enum Message {
    CriticalAlert(String),
    DebugInfo,
    DataUpdate { payload: Vec<u8>, id: u64 },
    #[cfg(feature = "extra")]
    Extra(Context, u8),
}
impl ::reflow_trace::Message for Message {
    fn kind(&self) -> &'static ::reflow_trace::__private::MessageKind {
        match self {
            Self::CriticalAlert { .. } => {
                static KIND: ::reflow_trace::__private::MessageKind = ::reflow_trace::__private::MessageKind::new(
                        "CriticalAlert",
                    )
                    .rate(0.1f64);
                &KIND
            }
            Self::DebugInfo { .. } => {
                static KIND: ::reflow_trace::__private::MessageKind = ::reflow_trace::__private::MessageKind::new(
                        "DebugInfo",
                    )
                    .rate(0.1f64);
                &KIND
            }
            Self::DataUpdate { .. } => {
                static KIND: ::reflow_trace::__private::MessageKind = ::reflow_trace::__private::MessageKind::new(
                        "Update",
                    )
                    .rate(0.1f64);
                &KIND
            }
            #[cfg(feature = "extra")]
            Self::Extra { .. } => {
                static KIND: ::reflow_trace::__private::MessageKind = ::reflow_trace::__private::MessageKind::new(
                        "Extra",
                    )
                    .rate(
                        ::reflow_trace::__private::share(
                            (RATE) as ::core::primitive::f64,
                        ),
                    );
                &KIND
            }
        }
    }
    fn verdict(&self) -> ::reflow_trace::__private::Verdict {
        match self {
            Self::CriticalAlert { .. } => ::reflow_trace::__private::Verdict::Always,
            Self::DebugInfo { .. } => ::reflow_trace::__private::Verdict::Never,
            Self::DataUpdate { payload, .. } => {
                let holds: ::core::primitive::bool = payload.len() > 1024;
                if holds {
                    return ::reflow_trace::__private::Verdict::Always;
                }
                ::reflow_trace::__private::Verdict::ByRate
            }
            #[cfg(feature = "extra")]
            Self::Extra { 1: _1, .. } => {
                let holds: ::core::primitive::bool = *_1 == 0;
                if holds {
                    return ::reflow_trace::__private::Verdict::Never;
                }
                ::reflow_trace::__private::Verdict::ByRate
            }
        }
    }
    fn size(&self) -> ::reflow_trace::__private::Size {
        ::reflow_trace::__private::Size::known({ self.len() })
    }
    fn context(&self) -> ::core::option::Option<&::reflow_trace::__private::Context> {
        match self {
            Self::CriticalAlert { .. } => ::core::option::Option::None,
            Self::DebugInfo { .. } => ::core::option::Option::None,
            Self::DataUpdate { .. } => ::core::option::Option::None,
            #[cfg(feature = "extra")]
            Self::Extra { 0: field, .. } => {
                ::core::option::Option::Some(
                    ::reflow_trace::__private::ContextField::context(field),
                )
            }
        }
    }
    fn context_mut(
        &mut self,
    ) -> ::core::option::Option<&mut ::reflow_trace::__private::Context> {
        match self {
            Self::CriticalAlert { .. } => ::core::option::Option::None,
            Self::DebugInfo { .. } => ::core::option::Option::None,
            Self::DataUpdate { .. } => ::core::option::Option::None,
            #[cfg(feature = "extra")]
            Self::Extra { 0: field, .. } => {
                ::core::option::Option::Some(
                    ::reflow_trace::__private::ContextField::context_mut(field),
                )
            }
        }
    }
    fn id(
        &self,
    ) -> ::core::option::Option<::reflow_trace::__private::AttributeValue<'_>> {
        use ::reflow_trace::__private::AsValue as _;
        match self {
            Self::CriticalAlert { .. } => ::core::option::Option::None,
            Self::DebugInfo { .. } => ::core::option::Option::None,
            Self::DataUpdate { id: field, .. } => {
                ::core::option::Option::Some(
                    (&&&::reflow_trace::__private::Value(field)).value(),
                )
            }
            #[cfg(feature = "extra")]
            Self::Extra { .. } => ::core::option::Option::None,
        }
    }
    fn describe(&self, attributes: &mut ::reflow_trace::__private::Attributes<'_>) {
        use ::reflow_trace::__private::AsValue as _;
        match self {
            Self::CriticalAlert { .. } => {}
            Self::DebugInfo { .. } => {}
            Self::DataUpdate { .. } => {}
            #[cfg(feature = "extra")]
            Self::Extra { 1: field_0, .. } => {
                attributes
                    .put("1", (&&&::reflow_trace::__private::Value(field_0)).value());
            }
        }
    }
}
