# one
/* two
 lines */ if /* in */ true /* here */ { # end
  discard; }
