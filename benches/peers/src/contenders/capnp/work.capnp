@0xb2f0a3d5c1e49867;
# The work of the comparison. `work_capnp.rs` is made of it, and committed, so that nobody needs the compiler of schemas:
#   cargo install capnpc --version 0.27.0 && capnp compile -orust work.capnp

struct Person {
  id @0 :UInt32;
  name @1 :Text;
  mail @2 :Text;
}

interface Work {
  add @0 (a :UInt32, b :UInt32) -> (sum :UInt32);
  echo @1 (bytes :Data) -> (bytes :Data);
  echoPeople @2 (people :List(Person)) -> (people :List(Person));
  lend @3 (adder :Work) -> (sum :UInt32);
  numbers @4 (count :UInt32, to :Sink) -> ();
  sum @5 () -> (sink :Sink);
}

interface Sink {
  put @0 (number :UInt32) -> stream;
  end @1 () -> (sum :UInt64);
}
