impl<M: Message + Send> Connector<M> {
    pub async fn send_message(&self, mut message: M) -> Result<(), SendError> {
        ::reflow_trace::__private::judge::<Result<(), SendError>>()
            .end_both(
                ::reflow_trace::__private::instrumented(async move {
                        if ::reflow_trace::__private::begins_here() {
                            let mut flow = self
                                .__reflow_trace_begin_send_message(&mut message);
                            if flow.wants_details() {
                                use ::reflow_trace::__private::AsValue as _;
                                flow.attribute(
                                    "priority",
                                    (&&&::reflow_trace::__private::Value(&(message.priority)))
                                        .value(),
                                );
                            }
                            if flow.stay() {
                                return ::reflow_trace::__private::declared::<
                                    Result<(), SendError>,
                                >();
                            }
                        }
                        {
                            self.channel.send(message).await?;
                            Ok(())
                        }
                    })
                    .await,
            )
    }
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn __reflow_trace_begin_send_message(
        &self,
        message: &mut M,
    ) -> ::reflow_trace::__private::Flow {
        if ::reflow_trace::__private::on() {
            ::reflow_trace::__private::sending::<M>()
                .begin(
                    message,
                    ::reflow_trace::__private::names(
                            &self.from_actor,
                            &self.from_port,
                            &self.to_actor,
                            &self.to_port,
                        )
                        .ends(),
                    {
                        use ::reflow_trace::__private::DepthFallback as _;
                        ::reflow_trace::__private::Depth::probed(
                            self.channel.len(),
                            self.channel.capacity(),
                            self.channel.max_capacity(),
                        )
                    },
                    {
                        static SITE: ::reflow_trace::__private::Site = ::reflow_trace::__private::Site::new()
                            .protocol("tcp")
                            .compression("zstd");
                        &SITE
                    },
                )
        } else {
            ::reflow_trace::__private::Flow::idle()
        }
    }
}
