"""What a monitor decides, on values alone: draws, signals, shares of alpha, bounds, the detector, onset and size of a change.

In the order of use: ``streams`` and ``draws`` say what is asked, ``readings`` what came back, ``watch`` what is fixed at the baseline,
``ticks`` what a tick says, ``detector`` what has gathered over ticks, ``change`` what an alarm tells, ``outlook`` what to expect of it all.
"""
