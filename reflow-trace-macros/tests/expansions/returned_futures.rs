#[traced_connector]
impl Connector {
    fn send(&self, message: M) -> impl Future<Output = Result<(), E>> + Send {
        async move { self.push(message).await }
    }

    fn send_async<'a>(&'a self, message: M) -> Pin<Box<dyn Future<Output = Result<(), E>> + Send + 'a>> {
        Box::pin(async move { self.push(message).await })
    }

    #[trace(send, returns = "future")]
    fn call(&mut self, request: M) -> Self::Future {
        self.inner.call(request)
    }
}
