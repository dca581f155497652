struct View<'a>(&'a [u8]);
impl<'a> ::reflow_trace::Message for View<'a> {
    const DESCRIBES: ::core::primitive::bool = false;
    fn kind(&self) -> &'static ::reflow_trace::__private::MessageKind {
        match self {
            Self { .. } => {
                static KIND: ::reflow_trace::__private::MessageKind = ::reflow_trace::__private::MessageKind::new(
                        "View",
                    )
                    .rate(0.5f64);
                &KIND
            }
        }
    }
    fn size(&self) -> ::reflow_trace::__private::Size {
        use ::reflow_trace::__private::SizeFallback as _;
        ::reflow_trace::__private::Size::measured(self.size_bytes(), self)
    }
}
const _: () = {
    enum Here {}
    ::reflow_trace::__private::register! {
        ::reflow_trace::__private::Registration::generic:: < Here > ("View")
    }
};
