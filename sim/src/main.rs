mod pb;
fn main() {}
