impl<M> Handler<M> for Arc<plant::Validator<M>> {
    fn process(&self, mut message: &M) -> bool {
        let _frame = ::reflow_trace::__private::CauseFrame::enter();
        let mut flow = ::reflow_trace::__private::Flow::idle();
        if ::reflow_trace::__private::on() {
            use ::reflow_trace::__private::AsName as _;
            use ::reflow_trace::__private::BeginHandling as _;
            (&mut ::reflow_trace::__private::Probed(&mut message))
                .begin_handling(
                    &mut flow,
                    ::reflow_trace::__private::receiver_by_default("Validator"),
                    ::reflow_trace::__private::Site::PLAIN,
                );
        }
        ::reflow_trace::__private::judge::<bool>()
            .end(flow, if true { true } else { ::reflow_trace::__private::declared() })
    }
    fn live(&self) {
        let _frame = ::reflow_trace::__private::CauseFrame::enter_task();
        let mut flow = ::reflow_trace::__private::Flow::idle();
        if ::reflow_trace::__private::on() {
            use ::reflow_trace::__private::AsName as _;
            ::reflow_trace::__private::begin_life(
                &mut flow,
                (&&::reflow_trace::__private::Text(&"Validator")).name(),
                ::reflow_trace::__private::Site::PLAIN,
            );
        }
        ::reflow_trace::__private::unjudged().end(flow, if true {})
    }
}
