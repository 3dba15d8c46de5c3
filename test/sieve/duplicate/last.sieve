require "duplicate"; if duplicate :last { discard; }
