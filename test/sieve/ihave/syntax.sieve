require "ihave"; if ihave "x" { fly "a }
