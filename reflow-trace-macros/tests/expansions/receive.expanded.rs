impl<M> Connector<M> {
    pub async fn recv(&mut self) -> Option<M> {
        let (mut out, mut flow) = ::reflow_trace::__private::instrumented(async move {
                let _ = &self;
                if ::reflow_trace::__private::begins_here() {
                    let mut flow = ::reflow_trace::__private::Flow::idle();
                    use ::reflow_trace::__private::AsName as _;
                    ::reflow_trace::__private::begin_receive(
                        &mut flow,
                        ::reflow_trace::__private::ends(
                            (&&::reflow_trace::__private::Text(&((self.from).actor)))
                                .name(),
                            (&&::reflow_trace::__private::Text(&((self.from).port)))
                                .name(),
                            (&&::reflow_trace::__private::Text(&((self.to).actor)))
                                .name(),
                            (&&::reflow_trace::__private::Text(&((self.to).port))).name(),
                        ),
                        ::reflow_trace::__private::Depth::UNKNOWN,
                        ::reflow_trace::__private::Site::PLAIN,
                    );
                    flow.stay();
                }
                if false {
                    return ::reflow_trace::__private::declared::<Option<M>>();
                }
                { self.receiver.recv().await }
            })
            .await;
        {
            use ::reflow_trace::__private::EndReceive as _;
            (&mut &mut &mut ::reflow_trace::__private::Received(&mut out))
                .end_receive(&mut flow);
        }
        out
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
                ::reflow_trace::__private::Site::PLAIN,
            );
        }
        let mut out: Result<M, TryRecvError> = { self.receiver.try_recv() };
        {
            use ::reflow_trace::__private::EndReceive as _;
            (&mut &mut &mut ::reflow_trace::__private::Received(&mut out))
                .end_receive(&mut flow);
        }
        out
    }
}
