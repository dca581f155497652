impl Connector {
    pub fn send(&self, mut message: Reading) -> Result<(), SendError<Reading>> {
        ::reflow_trace::__private::judge::<Result<(), SendError<Reading>>>()
            .end(
                self
                    .__reflow_trace_begin_send(
                        ::core::option::Option::Some(&mut message),
                    ),
                if true {
                    self.channel.send(message)
                } else {
                    ::reflow_trace::__private::declared()
                },
            )
    }
    pub async fn send_message(
        &self,
        mut message: Reading,
    ) -> Result<(), SendError<Reading>> {
        ::reflow_trace::__private::judge::<Result<(), SendError<Reading>>>()
            .end_both(
                ::reflow_trace::__private::instrumented(async move {
                        if ::reflow_trace::__private::begins_here()
                            && self
                                .__reflow_trace_begin_send(
                                    ::core::option::Option::Some(&mut message),
                                )
                                .stay()
                        {
                            return ::reflow_trace::__private::declared::<
                                Result<(), SendError<Reading>>,
                            >();
                        }
                        {
                            self.channel.send(message)?;
                            Ok(())
                        }
                    })
                    .await,
            )
    }
    pub fn recv(&self) -> Result<Reading, RecvError> {
        ::reflow_trace::__private::receive::<Result<Reading, RecvError>>()
            .end(
                self.__reflow_trace_begin_send(::core::option::Option::None),
                if true {
                    self.inbox.recv()
                } else {
                    ::reflow_trace::__private::declared()
                },
            )
    }
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn __reflow_trace_begin_send(
        &self,
        message: ::core::option::Option<&mut Reading>,
    ) -> ::reflow_trace::__private::Flow {
        if ::reflow_trace::__private::on() {
            ::reflow_trace::__private::sending::<Reading>()
                .begin_or_await(
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
                    ::reflow_trace::__private::Site::PLAIN,
                )
        } else {
            ::reflow_trace::__private::Flow::idle()
        }
    }
}
