"""Models of credit risk: how parties train them together, and what one party would reach alone.

    logistic     regression on shares: `train` is the whole job, `passes` one pass, `plan` how many of them
    scorecard    bins, weight of evidence, which columns stay, standard errors: `woe_column`, `vif`
    boosting     trees: `train` is the loop over trees, `label` and `feature` the two sides of one
    reasons      which features cost each enterprise most points
    alone, metrics, stability   the label holder's own model; how good a model is; whether scores moved

Open `logistic/train.py` first. Where random numbers are dealt, what parties call has its dealer's side below
it (`train_logistic`, `deal_logistic`). Each kind of model has a `plain` twin, insecure and on pooled columns,
against which tests hold it. Nothing here knows a contract, a file or a log.
"""
