impl Connector {
    fn send(&self, mut message: M) -> Result<impl Iterator<Item = u8> + '_, E> {
        let mut flow = crate::tracing::__private::Flow::idle();
        if crate::tracing::__private::on() {
            use crate::tracing::__private::AsName as _;
            use crate::tracing::__private::BeginSend as _;
            (&mut crate::tracing::__private::Probed(&mut message))
                .begin_send(
                    &mut flow,
                    crate::tracing::__private::ends(
                        (&&crate::tracing::__private::Text(&(self.from_actor))).name(),
                        (&&crate::tracing::__private::Text(&(self.from_port))).name(),
                        (&&crate::tracing::__private::Text(&(self.to_actor))).name(),
                        (&&crate::tracing::__private::Text(&(self.to_port))).name(),
                    ),
                    crate::tracing::__private::Depth::UNKNOWN,
                    {
                        static SITE: crate::tracing::__private::Site = crate::tracing::__private::Site::new();
                        &SITE
                    },
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
        crate::tracing::__private::instrumented(
                async move {
                    let _ = &message;
                    let _ = &self;
                    crate::tracing::__private::begin_in(|
                        flow: &mut crate::tracing::__private::Flow|
                    {
                        use crate::tracing::__private::AsName as _;
                        use crate::tracing::__private::BeginSend as _;
                        (&mut crate::tracing::__private::Probed(&mut message))
                            .begin_send(
                                flow,
                                crate::tracing::__private::ends(
                                    (&&crate::tracing::__private::Text(&(self.from_actor)))
                                        .name(),
                                    (&&crate::tracing::__private::Text(&(self.from_port)))
                                        .name(),
                                    (&&crate::tracing::__private::Text(&(self.to_actor)))
                                        .name(),
                                    (&&crate::tracing::__private::Text(&(self.to_port))).name(),
                                ),
                                crate::tracing::__private::Depth::UNKNOWN,
                                {
                                    static SITE: crate::tracing::__private::Site = crate::tracing::__private::Site::new();
                                    &SITE
                                },
                            );
                    });
                    if false {
                        return crate::tracing::__private::declared::<Result<_, E>>();
                    }
                    { Ok(message.into().into_iter()) }
                },
                |out: &mut _, flow: &mut crate::tracing::__private::Flow| {
                    flow.end({
                        use crate::tracing::__private::Judge as _;
                        (&&crate::tracing::__private::Judged(&*out)).outcome()
                    });
                },
            )
            .await
    }
}
