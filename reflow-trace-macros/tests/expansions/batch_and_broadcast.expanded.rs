impl Connector {
    fn send_batch(&self, mut messages: Vec<M>) -> Result<(), E> {
        let mut flow = ::reflow_trace::__private::Batch::idle();
        if ::reflow_trace::__private::on() {
            let (ends, depth) = self.__reflow_trace_place_send_batch();
            use ::reflow_trace::__private::BeginBatch as _;
            (&mut &mut &mut ::reflow_trace::__private::BatchOf(&mut messages))
                .begin_batch(
                    &mut flow,
                    ends,
                    depth,
                    ::reflow_trace::__private::Site::PLAIN,
                );
        }
        let out: Result<(), E> = if true {
            self.0.extend(messages);
            Ok(())
        } else {
            ::reflow_trace::__private::declared()
        };
        flow.end(::reflow_trace::__private::judge_of(&out).outcome(&out));
        out
    }
    async fn flush(&self, mut items: &[M], attempt: u32) -> bool {
        ::reflow_trace::__private::instrumented_batch(
                async move {
                    ::reflow_trace::__private::begin_batch_in(|
                        flow: &mut ::reflow_trace::__private::Batch|
                    {
                        let (ends, depth) = self.__reflow_trace_place_send_batch();
                        use ::reflow_trace::__private::BeginBatch as _;
                        (&mut &mut &mut ::reflow_trace::__private::BatchOf(&mut items))
                            .begin_batch(
                                flow,
                                ends,
                                depth,
                                ::reflow_trace::__private::Site::PLAIN,
                            );
                        if flow.wants_details() {
                            use ::reflow_trace::__private::AsValue as _;
                            flow.attribute(
                                "attempt",
                                (&&&::reflow_trace::__private::Value(&(attempt))).value(),
                            );
                        }
                    });
                    if false {
                        return ::reflow_trace::__private::declared::<bool>();
                    }
                    { true }
                },
                |out: &mut _, flow: &mut ::reflow_trace::__private::Batch| {
                    flow.end(::reflow_trace::__private::judge_of(&*out).outcome(&*out));
                },
            )
            .await
    }
    fn broadcast(&self, mut message: M) -> Result<usize, E> {
        let mut flow = self.__reflow_trace_begin_broadcast(&mut message);
        if flow.wants_details() {
            use ::reflow_trace::__private::AsValue as _;
            flow.attribute(
                "priority",
                (&&&::reflow_trace::__private::Value(&(message.priority))).value(),
            );
        }
        let out: Result<usize, E> = if true {
            Ok(1)
        } else {
            ::reflow_trace::__private::declared()
        };
        flow.fan_out({
            use ::reflow_trace::__private::FanOut as _;
            (&::reflow_trace::__private::Reached(&out)).reached()
        });
        flow.end(::reflow_trace::__private::judge_of(&out).outcome(&out));
        out
    }
    fn publish(&self, mut message: M) {
        let mut flow = self.__reflow_trace_begin_broadcast(&mut message);
        if flow.wants_details() {
            use ::reflow_trace::__private::AsValue as _;
            flow.attribute(
                "priority",
                (&&&::reflow_trace::__private::Value(&(message.priority))).value(),
            );
            flow.attribute(
                "fan_out",
                (&&&::reflow_trace::__private::Value(&(self.0.len()))).value(),
            );
        }
        ::reflow_trace::__private::unjudged().end(flow, if true {})
    }
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        mut message: M,
    ) -> Poll<Result<(), E>> {
        #![allow(unused)]
        let mut flow = ::reflow_trace::__private::Batch::idle();
        if ::reflow_trace::__private::on() {
            let (ends, depth) = self.__reflow_trace_place_send_batch();
            use ::reflow_trace::__private::BeginBatch as _;
            (&mut &mut &mut ::reflow_trace::__private::BatchOf(
                &mut ::reflow_trace::__private::One(&mut message),
            ))
                .begin_batch(
                    &mut flow,
                    ends,
                    depth,
                    ::reflow_trace::__private::Site::PLAIN,
                );
            if flow.wants_details() {
                use ::reflow_trace::__private::AsValue as _;
                flow.attribute(
                    "priority",
                    (&&&::reflow_trace::__private::Value(&(message.priority))).value(),
                );
            }
        }
        let out = ::reflow_trace::__private::call(move || -> Poll<Result<(), E>> {
            let _ = &message;
            { Poll::Pending }
        });
        if {
            use ::reflow_trace::__private::MayPend as _;
            (&::reflow_trace::__private::Polled(&out)).is_pending()
        } {
            flow.discard();
        } else {
            flow.end(::reflow_trace::__private::judge_of(&out).outcome(&out));
        }
        out
    }
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn __reflow_trace_place_send_batch(
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
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn __reflow_trace_begin_broadcast(
        &self,
        message: &mut M,
    ) -> ::reflow_trace::__private::Flow {
        if ::reflow_trace::__private::on() {
            let (ends, depth) = self.__reflow_trace_place_send_batch();
            ::reflow_trace::__private::sending::<M>()
                .begin(message, ends, depth, ::reflow_trace::__private::Site::PLAIN)
        } else {
            ::reflow_trace::__private::Flow::idle()
        }
    }
}
