impl Connector {
    fn send(&self, mut message: M) -> impl Future<Output = Result<(), E>> + Send {
        let mut flow = ::reflow_trace::__private::Flow::idle();
        if ::reflow_trace::__private::on() {
            use ::reflow_trace::__private::AsName as _;
            use ::reflow_trace::__private::BeginSend as _;
            (&mut ::reflow_trace::__private::Probed(&mut message))
                .begin_send(
                    &mut flow,
                    ::reflow_trace::__private::ends(
                        (&&::reflow_trace::__private::Text(&(self.from_actor))).name(),
                        (&&::reflow_trace::__private::Text(&(self.from_port))).name(),
                        (&&::reflow_trace::__private::Text(&(self.to_actor))).name(),
                        (&&::reflow_trace::__private::Text(&(self.to_port))).name(),
                    ),
                    ::reflow_trace::__private::Depth::UNKNOWN,
                    {
                        static SITE: ::reflow_trace::__private::Site = ::reflow_trace::__private::Site::new();
                        &SITE
                    },
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
            use ::reflow_trace::__private::AsName as _;
            use ::reflow_trace::__private::BeginSend as _;
            (&mut ::reflow_trace::__private::Probed(&mut message))
                .begin_send(
                    &mut flow,
                    ::reflow_trace::__private::ends(
                        (&&::reflow_trace::__private::Text(&(self.from_actor))).name(),
                        (&&::reflow_trace::__private::Text(&(self.from_port))).name(),
                        (&&::reflow_trace::__private::Text(&(self.to_actor))).name(),
                        (&&::reflow_trace::__private::Text(&(self.to_port))).name(),
                    ),
                    ::reflow_trace::__private::Depth::UNKNOWN,
                    {
                        static SITE: ::reflow_trace::__private::Site = ::reflow_trace::__private::Site::new();
                        &SITE
                    },
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
            use ::reflow_trace::__private::AsName as _;
            use ::reflow_trace::__private::BeginSend as _;
            (&mut ::reflow_trace::__private::Probed(&mut request))
                .begin_send(
                    &mut flow,
                    ::reflow_trace::__private::ends(
                        (&&::reflow_trace::__private::Text(&(self.from_actor))).name(),
                        (&&::reflow_trace::__private::Text(&(self.from_port))).name(),
                        (&&::reflow_trace::__private::Text(&(self.to_actor))).name(),
                        (&&::reflow_trace::__private::Text(&(self.to_port))).name(),
                    ),
                    ::reflow_trace::__private::Depth::UNKNOWN,
                    {
                        static SITE: ::reflow_trace::__private::Site = ::reflow_trace::__private::Site::new();
                        &SITE
                    },
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
