impl<M: Message + Send> Connector<M> {
    pub async fn send_message(&self, mut message: M) -> Result<(), SendError> {
        ::reflow_trace::__private::instrumented(
                async move {
                    let _ = &message;
                    let _ = &self;
                    ::reflow_trace::__private::begin_in(|
                        flow: &mut ::reflow_trace::__private::Flow|
                    {
                        use ::reflow_trace::__private::AsName as _;
                        use ::reflow_trace::__private::BeginSend as _;
                        (&mut ::reflow_trace::__private::Probed(&mut message))
                            .begin_send(
                                flow,
                                ::reflow_trace::__private::ends(
                                    (&&::reflow_trace::__private::Text(&(self.from_actor)))
                                        .name(),
                                    (&&::reflow_trace::__private::Text(&(self.from_port)))
                                        .name(),
                                    (&&::reflow_trace::__private::Text(&(self.to_actor)))
                                        .name(),
                                    (&&::reflow_trace::__private::Text(&(self.to_port))).name(),
                                ),
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
                            );
                        if flow.wants_details() {
                            use ::reflow_trace::__private::AsValue as _;
                            flow.attribute(
                                "priority",
                                (&&&::reflow_trace::__private::Value(&(message.priority)))
                                    .value(),
                            );
                        }
                    });
                    if false {
                        return ::reflow_trace::__private::declared::<
                            Result<(), SendError>,
                        >();
                    }
                    {
                        self.channel.send(message).await?;
                        Ok(())
                    }
                },
                |out: &mut _, flow: &mut ::reflow_trace::__private::Flow| {
                    flow.end({
                        use ::reflow_trace::__private::Judge as _;
                        (&&::reflow_trace::__private::Judged(&*out)).outcome()
                    });
                },
            )
            .await
    }
}
