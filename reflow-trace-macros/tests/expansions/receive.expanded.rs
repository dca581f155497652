impl<M> Connector<M> {
    pub async fn recv(&mut self) -> Option<M> {
        let (out, mut flow) = ::reflow_trace::__private::instrumented(async move {
                if ::reflow_trace::__private::begins_here() {
                    self.__reflow_trace_begin_recv().stay();
                }
                if false {
                    return ::reflow_trace::__private::declared::<Option<M>>();
                }
                { self.receiver.recv().await }
            })
            .await;
        ::reflow_trace::__private::received(&out).end(&mut flow);
        out
    }
    pub fn try_recv(&mut self) -> Result<M, TryRecvError> {
        let mut flow = self.__reflow_trace_begin_recv();
        let out: Result<M, TryRecvError> = if true {
            self.receiver.try_recv()
        } else {
            ::reflow_trace::__private::declared()
        };
        ::reflow_trace::__private::received(&out).end(&mut flow);
        out
    }
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn __reflow_trace_begin_recv(&self) -> ::reflow_trace::__private::Flow {
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
        flow
    }
}
