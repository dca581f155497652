impl<M> Connector<M> {
    pub async fn recv(&mut self) -> Option<M> {
        ::reflow_trace::__private::instrumented(
                async move {
                    let _ = &self;
                    ::reflow_trace::__private::begin_in(|
                        flow: &mut ::reflow_trace::__private::Flow|
                    {
                        use ::reflow_trace::__private::AsName as _;
                        ::reflow_trace::__private::begin_receive(
                            flow,
                            ::reflow_trace::__private::ends(
                                (&&::reflow_trace::__private::Text(&((self.from).actor)))
                                    .name(),
                                (&&::reflow_trace::__private::Text(&((self.from).port)))
                                    .name(),
                                (&&::reflow_trace::__private::Text(&((self.to).actor)))
                                    .name(),
                                (&&::reflow_trace::__private::Text(&((self.to).port)))
                                    .name(),
                            ),
                            ::reflow_trace::__private::Depth::UNKNOWN,
                            {
                                static SITE: ::reflow_trace::__private::Site = ::reflow_trace::__private::Site::new();
                                &SITE
                            },
                        );
                    });
                    if false {
                        return ::reflow_trace::__private::declared::<Option<M>>();
                    }
                    { self.receiver.recv().await }
                },
                |out: &mut _, flow: &mut ::reflow_trace::__private::Flow| {
                    {
                        use ::reflow_trace::__private::EndReceive as _;
                        (&mut &mut &mut ::reflow_trace::__private::Received(&mut *out))
                            .end_receive(flow);
                    }
                },
            )
            .await
    }
    pub fn try_recv(&mut self) -> Result<M, TryRecvError> {
        let mut flow = ::reflow_trace::__private::Flow::idle();
        if ::reflow_trace::__private::on() {
            use ::reflow_trace::__private::AsName as _;
            ::reflow_trace::__private::begin_receive(
                &mut flow,
                ::reflow_trace::__private::ends(
                    (&&::reflow_trace::__private::Text(&((self.from).actor))).name(),
                    (&&::reflow_trace::__private::Text(&((self.from).port))).name(),
                    (&&::reflow_trace::__private::Text(&((self.to).actor))).name(),
                    (&&::reflow_trace::__private::Text(&((self.to).port))).name(),
                ),
                ::reflow_trace::__private::Depth::UNKNOWN,
                {
                    static SITE: ::reflow_trace::__private::Site = ::reflow_trace::__private::Site::new();
                    &SITE
                },
            );
        }
        let mut out = ::reflow_trace::__private::call(move || -> Result<M, TryRecvError> {
            let _ = &self;
            { self.receiver.try_recv() }
        });
        {
            use ::reflow_trace::__private::EndReceive as _;
            (&mut &mut &mut ::reflow_trace::__private::Received(&mut out))
                .end_receive(&mut flow);
        }
        out
    }
}
