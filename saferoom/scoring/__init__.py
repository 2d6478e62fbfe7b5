"""From a model's log-odds to what people read: points, scorecards, grades, and how they move. Pure.

points         log-odds on a scale of points, and back; open it first
scorecard      points of each bin of each feature, and which features cost most
grades         schemes that cut scores into grades, with what supervision follows
standard       the scheme of a contract that names none
calibration    cut points from target default rates
grade_table    counts and default rates by grade; migration
monitoring     quarter against quarter: who moved, how far, who needs a look
"""
