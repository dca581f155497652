impl Connector {
    fn send(&self, mut message: M) -> Result<impl Iterator<Item = u8> + '_, E> {
        let mut flow = crate::tracing::__private::Flow::idle();
        if crate::tracing::__private::on() {
            use crate::tracing::__private::BeginSend as _;
            (&mut crate::tracing::__private::Probed(&mut message))
                .begin_send(
                    &mut flow,
                    {
                        use crate::tracing::__private::AsEnds as _;
                        (&&crate::tracing::__private::Names(
                            &(self.from_actor),
                            &(self.from_port),
                            &(self.to_actor),
                            &(self.to_port),
                        ))
                            .ends()
                    },
                    crate::tracing::__private::Depth::UNKNOWN,
                    crate::tracing::__private::Site::PLAIN,
                );
        }
        let out = crate::tracing::__private::call(move || -> Result<_, E> {
            let _ = &message;
            let _ = &self;
            { Ok(message.into_iter()) }
        });
        flow.end({
            use crate::tracing::__private::Judge as _;
            (&&crate::tracing::__private::Judged(&out)).outcome()
        });
        out
    }
    async fn send_async(
        &self,
        mut message: impl Into<M>,
    ) -> Result<impl Iterator<Item = u8>, E> {
        let (out, mut flow) = crate::tracing::__private::instrumented(async move {
                let _ = &message;
                let _ = &self;
                if crate::tracing::__private::begins_here() {
                    let mut flow = crate::tracing::__private::Flow::idle();
                    use crate::tracing::__private::BeginSend as _;
                    (&mut crate::tracing::__private::Probed(&mut message))
                        .begin_send(
                            &mut flow,
                            {
                                use crate::tracing::__private::AsEnds as _;
                                (&&crate::tracing::__private::Names(
                                    &(self.from_actor),
                                    &(self.from_port),
                                    &(self.to_actor),
                                    &(self.to_port),
                                ))
                                    .ends()
                            },
                            crate::tracing::__private::Depth::UNKNOWN,
                            crate::tracing::__private::Site::PLAIN,
                        );
                    flow.stay();
                }
                if false {
                    return crate::tracing::__private::declared::<Result<_, E>>();
                }
                { Ok(message.into().into_iter()) }
            })
            .await;
        flow.end({
            use crate::tracing::__private::Judge as _;
            (&&crate::tracing::__private::Judged(&out)).outcome()
        });
        out
    }
}
