impl<M: Message + Send> Connector<M> {
    pub async fn send_message(&self, mut message: M) -> Result<(), SendError> {
        let (out, mut flow) = ::reflow_trace::__private::instrumented(async move {
                let _ = &message;
                let _ = &self;
                if ::reflow_trace::__private::begins_here() {
                    let mut flow = ::reflow_trace::__private::Flow::idle();
                    use ::reflow_trace::__private::BeginSend as _;
                    (&mut ::reflow_trace::__private::Probed(&mut message))
                        .begin_send(
                            &mut flow,
                            {
                                use ::reflow_trace::__private::AsEnds as _;
                                (&&::reflow_trace::__private::Names(
                                    &(self.from_actor),
                                    &(self.from_port),
                                    &(self.to_actor),
                                    &(self.to_port),
                                ))
                                    .ends()
                            },
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
                    flow.stay();
                }
                if false {
                    return ::reflow_trace::__private::declared::<
                        Result<(), SendError>,
                    >();
                }
                {
                    self.channel.send(message).await?;
                    Ok(())
                }
            })
            .await;
        flow.end({
            use ::reflow_trace::__private::Judge as _;
            (&&::reflow_trace::__private::Judged(&out)).outcome()
        });
        out
    }
}
