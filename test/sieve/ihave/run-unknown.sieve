require "ihave"; keep;
fly "x";
