"""A run directory read back, and the one table that sums it up: ``results.csv``.

`load.load_run` reads the consolidated files of a run and checks that they fit together; `outcomes.collect_predictions`
turns the predictions into arrays, one `MethodPredictions` a method and protocol; `table.build_results` computes the
rows. Everything is computed from stored predictions of finished trials: no figure is taken over from a trial's own
record but its times. Nothing is imported here: every worker imports `records`, and needs no table for it.
"""
