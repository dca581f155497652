#[traced_actor]
impl<M> Handler<M> for Arc<plant::Validator<M>> {
    fn process(&self, message: &M) -> bool {
        true
    }

    #[trace(life)]
    fn live(&self) {}
}
