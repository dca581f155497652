impl Connector {
    fn send(&self, message: M) {}
    #[inline]
    fn forward(&self, target: &str, mut envelope: M) -> Answer {
        let mut flow = if ::reflow_trace::__private::on() {
            use ::reflow_trace::__private::AsName as _;
            ::reflow_trace::__private::sending::<M>()
                .begin(
                    &mut envelope,
                    ::reflow_trace::__private::ends(
                        (&&::reflow_trace::__private::Text(&(self.from_actor))).name(),
                        (&&::reflow_trace::__private::Text(&(self.from_port))).name(),
                        (&&::reflow_trace::__private::Text(&(target))).name(),
                        (&&::reflow_trace::__private::Text(&(self.to_port))).name(),
                    ),
                    ::reflow_trace::__private::Depth::UNKNOWN,
                    ::reflow_trace::__private::Site::PLAIN,
                )
        } else {
            ::reflow_trace::__private::Flow::idle()
        };
        let out: Answer = if true {
            Answer::Accepted
        } else {
            ::reflow_trace::__private::declared()
        };
        flow.end({
            let result = &out;
            let _ = result;
            ::reflow_trace::__private::outcome_if((result.is_accepted()))
        });
        out
    }
    async fn publish(&self, mut envelope: M) -> (bool, u8) {
        let (out, mut flow) = ::reflow_trace::__private::instrumented(async move {
                if ::reflow_trace::__private::begins_here() {
                    let flow = {
                        let (ends, depth) = self.__reflow_trace_place_publish();
                        let size = ::core::option::Option::Some(
                            ::reflow_trace::__private::Size::known((envelope.len())),
                        );
                        ::reflow_trace::__private::sending::<M>()
                            .begin_sized(
                                &mut envelope,
                                ends,
                                depth,
                                ::reflow_trace::__private::Site::PLAIN,
                                size,
                            )
                    };
                    if flow.stay() {
                        return ::reflow_trace::__private::declared::<(bool, u8)>();
                    }
                }
                { (true, 0) }
            })
            .await;
        flow.end({
            let result = &out;
            let _ = result;
            ::reflow_trace::__private::outcome_if((result.0))
        });
        out
    }
    fn take(&self) -> Option<M> {
        let flow = if ::reflow_trace::__private::on() {
            let (ends, depth) = self.__reflow_trace_place_publish();
            ::reflow_trace::__private::begin_receive(
                ends,
                depth,
                ::reflow_trace::__private::Site::PLAIN,
            )
        } else {
            ::reflow_trace::__private::Flow::idle()
        };
        ::reflow_trace::__private::receive::<Option<M>>()
            .end(flow, if true { None } else { ::reflow_trace::__private::declared() })
    }
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn __reflow_trace_place_publish(
        &self,
    ) -> (::reflow_trace::__private::Ends<'_>, ::reflow_trace::__private::Depth) {
        (
            ::reflow_trace::__private::names(
                    &self.from_actor,
                    &self.from_port,
                    &self.to_actor,
                    &self.to_port,
                )
                .ends(),
            ::reflow_trace::__private::Depth::UNKNOWN,
        )
    }
}
