require "ihave"; discard;
error "no use";
