pub struct Corruption;
