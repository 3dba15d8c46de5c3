require "duplicate"; if duplicate :handle "a" { discard; } elsif duplicate :handle "b" { discard; }
