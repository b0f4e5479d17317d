# The lab's targets: a kind cluster, the image in it, a scheduler that polls and one that watches.
CLUSTER ?= sched-lab
IMAGE ?= my-py-scheduler:latest
NODE ?= $(CLUSTER)-worker3
KUBECTL ?= kubectl

.PHONY: create-cluster build kind-load deploy-poll deploy-watch test-poll test-watch taint-label \
	logs undeploy-poll undeploy-watch delete-cluster

create-cluster: ## kind: one control plane and three workers
	@hack/need.sh docker kind
	kind create cluster --name $(CLUSTER) --config deploy/kind/cluster.yaml

build: ## the image, by docker, podman or buildah
	@hack/build_image.sh $(IMAGE) $(BUILD_OPTIONS)

kind-load: ## put the image into the kind cluster
	@hack/need.sh docker kind
	kind load docker-image $(IMAGE) --name $(CLUSTER)

# Both answer to my-scheduler, so there is one at a time.
deploy-poll: ## run the scheduler by polling
	@hack/need.sh $(firstword $(KUBECTL))
	$(KUBECTL) --namespace kube-system delete deployment my-scheduler-watch --ignore-not-found
	$(KUBECTL) apply -k deploy/overlays/kind-poll
	$(KUBECTL) --namespace kube-system rollout status deployment/my-scheduler-polling --timeout=120s

deploy-watch: ## run the scheduler by watch
	@hack/need.sh $(firstword $(KUBECTL))
	$(KUBECTL) --namespace kube-system delete deployment my-scheduler-polling --ignore-not-found
	$(KUBECTL) apply -k deploy/overlays/kind-watch
	$(KUBECTL) --namespace kube-system rollout status deployment/my-scheduler-watch --timeout=120s

test-poll test-watch: ## place the test pod, and show where it went
	@hack/need.sh $(firstword $(KUBECTL))
	$(KUBECTL) delete pod test-pod --ignore-not-found
	$(KUBECTL) apply -f examples/pods/test-pod.yaml
	$(KUBECTL) wait pod/test-pod --for=condition=PodScheduled --timeout=60s
	$(KUBECTL) get pod test-pod -o wide
	$(KUBECTL) --namespace kube-system logs --selector 'app in (my-scheduler-polling, my-scheduler-watch)' --tail=20

taint-label: ## label and taint a node (NODE=) environment=production, and place the pods for it
	@hack/need.sh $(firstword $(KUBECTL))
	$(KUBECTL) label node $(NODE) environment=production --overwrite
	$(KUBECTL) taint node $(NODE) environment=production:NoSchedule --overwrite
	$(KUBECTL) apply -f examples/pods/production.yaml
	$(KUBECTL) wait pod/test-prod pod/test1 pod/test2 --for=condition=PodScheduled --timeout=60s
	$(KUBECTL) get pods -o wide

logs: ## follow the scheduler's log
	@hack/need.sh $(firstword $(KUBECTL))
	$(KUBECTL) --namespace kube-system logs --selector 'app in (my-scheduler-polling, my-scheduler-watch)' --tail=-1 --follow

undeploy-poll: ## remove the scheduler that polls
	@hack/need.sh $(firstword $(KUBECTL))
	$(KUBECTL) delete -k deploy/overlays/kind-poll --ignore-not-found

undeploy-watch: ## remove the scheduler that watches
	@hack/need.sh $(firstword $(KUBECTL))
	$(KUBECTL) delete -k deploy/overlays/kind-watch --ignore-not-found

delete-cluster: ## delete the kind cluster
	@hack/need.sh docker kind
	kind delete cluster --name $(CLUSTER)
