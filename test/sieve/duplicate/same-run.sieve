require "duplicate"; if duplicate { discard; } if duplicate { discard; }
