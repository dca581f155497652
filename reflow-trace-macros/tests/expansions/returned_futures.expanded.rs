impl Connector {
    fn send(&self, mut message: M) -> impl Future<Output = Result<(), E>> + Send {
        let mut flow = self.__reflow_trace_begin_send(&mut message);
        let future: _ = if true {
            async move { self.push(message).await }
        } else {
            ::reflow_trace::__private::declared()
        };
        let flow = flow.defer();
        ::reflow_trace::__private::deferred(
            flow,
            future,
            |out, flow| ::reflow_trace::__private::judge_of(&out).end(flow, out),
        )
    }
    fn send_async<'a>(
        &'a self,
        mut message: M,
    ) -> Pin<Box<dyn Future<Output = Result<(), E>> + Send + 'a>> {
        let mut flow = if ::reflow_trace::__private::on() {
            ::reflow_trace::__private::sending::<M>()
                .begin(
                    &mut message,
                    ::reflow_trace::__private::names(
                            &self.from_actor,
                            &self.from_port,
                            &self.to_actor,
                            &self.to_port,
                        )
                        .ends(),
                    ::reflow_trace::__private::Depth::UNKNOWN,
                    ::reflow_trace::__private::Site::PLAIN,
                )
        } else {
            ::reflow_trace::__private::Flow::idle()
        };
        let future: Pin<Box<dyn Future<Output = Result<(), E>> + Send + 'a>> = if true {
            Box::pin(async move { self.push(message).await })
        } else {
            ::reflow_trace::__private::declared()
        };
        let flow = flow.defer();
        if flow.is_active() {
            ::std::boxed::Box::pin(
                ::reflow_trace::__private::deferred(
                    flow,
                    future,
                    |out, flow| ::reflow_trace::__private::judge_of(&out).end(flow, out),
                ),
            )
        } else {
            future
        }
    }
    fn call(&mut self, mut request: M) -> Self::Future {
        let mut flow = self.__reflow_trace_begin_send(&mut request);
        let future: Self::Future = if true {
            self.inner.call(request)
        } else {
            ::reflow_trace::__private::declared()
        };
        let flow = flow.defer();
        if flow.is_active() {
            ::std::boxed::Box::pin(
                ::reflow_trace::__private::deferred(
                    flow,
                    future,
                    |out, flow| ::reflow_trace::__private::judge_of(&out).end(flow, out),
                ),
            )
        } else {
            future
        }
    }
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn __reflow_trace_begin_send(
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
                    ::reflow_trace::__private::Depth::UNKNOWN,
                    ::reflow_trace::__private::Site::PLAIN,
                )
        } else {
            ::reflow_trace::__private::Flow::idle()
        }
    }
}
