impl<M> Connector<M> {
    pub async fn recv(&mut self) -> Option<M> {
        ::reflow_trace::__private::receive::<Option<M>>()
            .end_both(
                ::reflow_trace::__private::instrumented(async move {
                        if ::reflow_trace::__private::begins_here()
                            && self.__reflow_trace_begin_recv().stay()
                        {
                            return ::reflow_trace::__private::declared::<Option<M>>();
                        }
                        { self.receiver.recv().await }
                    })
                    .await,
            )
    }
    pub fn try_recv(&mut self) -> Result<M, TryRecvError> {
        ::reflow_trace::__private::receive::<Result<M, TryRecvError>>()
            .end(
                self.__reflow_trace_begin_recv(),
                if true {
                    self.receiver.try_recv()
                } else {
                    ::reflow_trace::__private::declared()
                },
            )
    }
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn __reflow_trace_begin_recv(&self) -> ::reflow_trace::__private::Flow {
        if ::reflow_trace::__private::on() {
            use ::reflow_trace::__private::AsName as _;
            ::reflow_trace::__private::begin_receive(
                ::reflow_trace::__private::ends(
                    (&&::reflow_trace::__private::Text(&((self.from).actor))).name(),
                    (&&::reflow_trace::__private::Text(&((self.from).port))).name(),
                    (&&::reflow_trace::__private::Text(&((self.to).actor))).name(),
                    (&&::reflow_trace::__private::Text(&((self.to).port))).name(),
                ),
                ::reflow_trace::__private::Depth::UNKNOWN,
                ::reflow_trace::__private::Site::PLAIN,
            )
        } else {
            ::reflow_trace::__private::Flow::idle()
        }
    }
}
