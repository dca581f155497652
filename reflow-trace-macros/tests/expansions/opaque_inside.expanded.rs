impl Connector {
    fn send(&self, mut message: M) -> Result<impl Iterator<Item = u8> + '_, E> {
        let flow = if crate::tracing::__private::on() {
            let (ends, depth) = self.__reflow_trace_place_send();
            crate::tracing::__private::sending::<M>()
                .begin(&mut message, ends, depth, crate::tracing::__private::Site::PLAIN)
        } else {
            crate::tracing::__private::Flow::idle()
        };
        let out: Result<_, E> = if true {
            Ok(message.into_iter())
        } else {
            crate::tracing::__private::declared()
        };
        crate::tracing::__private::judge_of(&out).end(flow, out)
    }
    async fn send_async(
        &self,
        mut message: impl Into<M>,
    ) -> Result<impl Iterator<Item = u8>, E> {
        let (out, flow) = crate::tracing::__private::instrumented(async move {
                if crate::tracing::__private::begins_here() {
                    let flow = {
                        let (ends, depth) = self.__reflow_trace_place_send();
                        crate::tracing::__private::sending_of(&message)
                            .begin(
                                &mut message,
                                ends,
                                depth,
                                crate::tracing::__private::Site::PLAIN,
                            )
                    };
                    if flow.stay() {
                        return crate::tracing::__private::declared::<Result<_, E>>();
                    }
                }
                { Ok(message.into().into_iter()) }
            })
            .await;
        crate::tracing::__private::judge_of(&out).end(flow, out)
    }
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn __reflow_trace_place_send(
        &self,
    ) -> (crate::tracing::__private::Ends<'_>, crate::tracing::__private::Depth) {
        (
            crate::tracing::__private::names(
                    &self.from_actor,
                    &self.from_port,
                    &self.to_actor,
                    &self.to_port,
                )
                .ends(),
            crate::tracing::__private::Depth::UNKNOWN,
        )
    }
}
