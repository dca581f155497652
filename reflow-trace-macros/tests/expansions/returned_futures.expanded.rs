impl Connector {
    fn send(&self, mut message: M) -> impl Future<Output = Result<(), E>> + Send {
        let mut flow = ::reflow_trace::__private::Flow::idle();
        if ::reflow_trace::__private::on() {
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
                    ::reflow_trace::__private::Depth::UNKNOWN,
                    ::reflow_trace::__private::Site::PLAIN,
                );
        }
        let future = ::reflow_trace::__private::call(move || -> _ {
            let _ = &message;
            let _ = &self;
            { async move { self.push(message).await } }
        });
        let flow = flow.defer();
        ::reflow_trace::__private::deferred(
            flow,
            future,
            |out: &mut _, flow: &mut ::reflow_trace::__private::Flow| {
                flow.end({
                    use ::reflow_trace::__private::Judge as _;
                    (&&::reflow_trace::__private::Judged(&*out)).outcome()
                });
            },
        )
    }
    fn send_async<'a>(
        &'a self,
        mut message: M,
    ) -> Pin<Box<dyn Future<Output = Result<(), E>> + Send + 'a>> {
        let mut flow = ::reflow_trace::__private::Flow::idle();
        if ::reflow_trace::__private::on() {
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
                    ::reflow_trace::__private::Depth::UNKNOWN,
                    ::reflow_trace::__private::Site::PLAIN,
                );
        }
        let future = ::reflow_trace::__private::call(move || -> Pin<
            Box<dyn Future<Output = Result<(), E>> + Send + 'a>,
        > {
            let _ = &message;
            let _ = &self;
            { Box::pin(async move { self.push(message).await }) }
        });
        let flow = flow.defer();
        if flow.is_active() {
            ::std::boxed::Box::pin(
                ::reflow_trace::__private::deferred(
                    flow,
                    future,
                    |out: &mut _, flow: &mut ::reflow_trace::__private::Flow| {
                        flow.end({
                            use ::reflow_trace::__private::Judge as _;
                            (&&::reflow_trace::__private::Judged(&*out)).outcome()
                        });
                    },
                ),
            )
        } else {
            future
        }
    }
    fn call(&mut self, mut request: M) -> Self::Future {
        let mut flow = ::reflow_trace::__private::Flow::idle();
        if ::reflow_trace::__private::on() {
            use ::reflow_trace::__private::BeginSend as _;
            (&mut ::reflow_trace::__private::Probed(&mut request))
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
                    ::reflow_trace::__private::Depth::UNKNOWN,
                    ::reflow_trace::__private::Site::PLAIN,
                );
        }
        let future = ::reflow_trace::__private::call(move || -> Self::Future {
            let _ = &request;
            let _ = &self;
            { self.inner.call(request) }
        });
        let flow = flow.defer();
        if flow.is_active() {
            ::std::boxed::Box::pin(
                ::reflow_trace::__private::deferred(
                    flow,
                    future,
                    |out: &mut _, flow: &mut ::reflow_trace::__private::Flow| {
                        flow.end({
                            use ::reflow_trace::__private::Judge as _;
                            (&&::reflow_trace::__private::Judged(&*out)).outcome()
                        });
                    },
                ),
            )
        } else {
            future
        }
    }
}
