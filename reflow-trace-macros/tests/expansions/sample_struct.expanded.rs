#[derive(Debug)]
pub struct Reading<T: Clone>
where
    T: Copy,
{
    id: u64,
    pub context: Context,
    celsius: f64,
    /// Kept.
    payload: Vec<T>,
}
impl<T: Clone> ::reflow_trace::Message for Reading<T>
where
    T: Copy,
{
    fn kind(&self) -> &'static ::reflow_trace::__private::MessageKind {
        match self {
            Self { .. } => {
                static KIND: ::reflow_trace::__private::MessageKind = ::reflow_trace::__private::MessageKind::new(
                        "Reading",
                    )
                    .rate(0.1f64)
                    .never_actors(&["heartbeat"]);
                &KIND
            }
        }
    }
    fn verdict(&self) -> ::reflow_trace::__private::Verdict {
        let holds: ::core::primitive::bool = self.celsius < 0.0;
        if holds {
            return ::reflow_trace::__private::Verdict::Never;
        }
        match self {
            Self { .. } => {
                let holds: fn(&Self) -> ::core::primitive::bool = Self::is_critical;
                if holds(self) {
                    return ::reflow_trace::__private::Verdict::Always;
                }
                ::reflow_trace::__private::Verdict::ByRate
            }
        }
    }
    fn size(&self) -> ::reflow_trace::__private::Size {
        use ::reflow_trace::__private::SizeFallback as _;
        ::reflow_trace::__private::Size::measured(self.size_bytes(), self)
    }
    fn context(&self) -> ::core::option::Option<&::reflow_trace::__private::Context> {
        match self {
            Self { context: field, .. } => {
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
            Self { context: field, .. } => {
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
            Self { id: field, .. } => {
                ::core::option::Option::Some(
                    (&&&::reflow_trace::__private::Value(field)).value(),
                )
            }
        }
    }
    fn describe(&self, attributes: &mut ::reflow_trace::__private::Attributes<'_>) {
        use ::reflow_trace::__private::AsValue as _;
        match self {
            Self { celsius: field_0, .. } => {
                attributes
                    .put(
                        "celsius",
                        (&&&::reflow_trace::__private::Value(field_0)).value(),
                    );
            }
        }
    }
}
